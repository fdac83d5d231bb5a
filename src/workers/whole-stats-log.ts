import { Injectable, Logger } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { SettingsStore } from '../config/settings-store.js';
import { FleetService } from '../discovery/fleet.service.js';
import { EngineStatsScraper } from '../stats/engine-stats.scraper.js';
import { RequestStatsService } from '../stats/request-stats.service.js';
import { formatStats } from '../stats/stats-log.js';
import { StatsLogService } from '../stats/stats-log.service.js';
import { WholeMetrics } from './whole-metrics.js';

/** The statistics log of all workers together; the primary writes it. */
@Injectable()
export class WholeStatsLog extends StatsLogService {
  readonly #lines = new Logger(StatsLogService.name);

  constructor(
    settings: SettingsStore,
    schedulers: SchedulerRegistry,
    stats: RequestStatsService,
    private readonly scraped: EngineStatsScraper,
    private readonly fleet: FleetService,
    private readonly whole: WholeMetrics,
  ) {
    super(settings, schedulers, stats, scraped);
  }

  override write(): void {
    void this.whole.collect().then(() => {
      const entries = this.fleet.current.engines.map((engine) => ({
        engine,
        scraped: this.scraped.statsOf(engine.id),
        figures: this.whole.shares.figuresOf(engine.id),
      }));
      this.#lines.log(formatStats(entries));
    });
  }
}
