import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import { HealthService } from '../health/health.service.js';
import { StallWatch } from '../proxy/stall-watch.js';
import { EngineStatsScraper } from '../stats/engine-stats.scraper.js';
import { RequestStatsService } from '../stats/request-stats.service.js';
import { NewsDraft } from './news-draft.js';
import { PrimaryLink } from './primary-link.js';

/** Judges engines by what they do for the requests of all workers. */
@Injectable()
export class SharedStallWatch extends StallWatch {
  readonly #draft: NewsDraft;

  constructor(
    settings: SettingsStore,
    scraper: EngineStatsScraper,
    stats: RequestStatsService,
    health: HealthService,
    draft: NewsDraft,
    link: PrimaryLink,
  ) {
    super(settings, scraper, stats, health);
    this.#draft = draft;
    link.take('progress', (progress) => {
      const now = performance.now();
      for (const [engineId, ago] of progress) this.heedProgress(engineId, now - ago);
    });
  }

  protected override tell(engineId: string, at: number): void {
    if (at > -Infinity) this.#draft.progressed(engineId, at);
  }
}
