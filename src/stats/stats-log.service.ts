import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { type PreparedChange, Reconfigurable } from '../config/reconfigurable.js';
import type { Settings } from '../config/settings.schema.js';
import { SettingsStore } from '../config/settings-store.js';
import { EngineStatsScraper } from './engine-stats.scraper.js';
import { RequestStatsService } from './request-stats.service.js';
import { Schedule } from '../scheduling/schedule.js';
import { formatStats } from './stats-log.js';

/** Writes the statistics of all engines into the log every `--log-stats-interval`, with `--log-stats`. */
@Injectable()
export class StatsLogService extends Reconfigurable implements OnModuleDestroy {
  readonly #log = new Logger(StatsLogService.name);
  readonly #settings: SettingsStore;
  readonly #stats: RequestStatsService;
  readonly #scraper: EngineStatsScraper;
  readonly #schedule: Schedule;
  #started = false;

  constructor(
    settings: SettingsStore,
    schedulers: SchedulerRegistry,
    stats: RequestStatsService,
    scraper: EngineStatsScraper,
  ) {
    super();
    this.#settings = settings;
    this.#stats = stats;
    this.#scraper = scraper;
    this.#schedule = new Schedule(schedulers, 'stats-log', () => this.write());
  }

  /** Begins to write, when the settings ask for it; now or after a reload. */
  start(): void {
    this.#started = true;
    this.#follow(this.#settings.current);
  }

  /** Writes one record. */
  write(): void {
    const entries = this.#stats.engines.map((engine) => ({
      engine,
      scraped: this.#scraper.statsOf(engine.id),
      figures: this.#stats.figuresOf(engine.id),
    }));
    this.#log.log(formatStats(entries));
  }

  override async prepare(next: Settings): Promise<PreparedChange> {
    return {
      commit: () => {
        if (this.#started) this.#follow(next);
      },
      discard: async () => {},
    };
  }

  onModuleDestroy(): void {
    this.#started = false;
    this.#schedule.stop();
  }

  #follow({ logStats, logStatsInterval }: Settings): void {
    if (logStats) this.#schedule.every(logStatsInterval);
    else this.#schedule.stop();
  }
}
