import { Injectable } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import type { PreparedChange } from '../config/reconfigurable.js';
import { SettingsStore } from '../config/settings-store.js';
import type { ProgressReading } from '../core/engine-progress.js';
import type { EngineStats } from '../core/prometheus-text.js';
import { EngineStatsScraper } from '../stats/engine-stats.scraper.js';
import { LifetimeSeries } from '../stats/lifetime-series.js';
import type { KnownEngines } from '../stats/request-stats.service.js';
import type { EngineFigures } from './messages.js';
import { NewsDraft } from './news-draft.js';
import { PrimaryLink } from './primary-link.js';

/** What engines tell of themselves, as the primary read it: a worker scrapes none. Bounded by the fleet. */
@Injectable()
export class RelayedScraper extends EngineStatsScraper {
  readonly #stats = new Map<string, EngineStats>();
  readonly #readings = new Map<string, ProgressReading>();
  readonly #link: PrimaryLink;
  readonly #draft: NewsDraft;

  constructor(
    settings: SettingsStore,
    schedulers: SchedulerRegistry,
    series: LifetimeSeries,
    link: PrimaryLink,
    draft: NewsDraft,
  ) {
    super(settings, schedulers, series);
    this.#link = link;
    this.#draft = draft;
    const take = (stats: readonly EngineFigures[]): void => {
      for (const [id, told, reading] of stats) {
        // Clocks differ between processes: it counts as read when it comes.
        if (reading) this.#readings.set(id, { ...reading, at: performance.now() });
        if (told) this.#stats.set(id, told);
        else this.#stats.delete(id);
        this.onStats(id, told);
      }
    };
    take(link.beginning.news.stats ?? []);
    link.take('stats', take);
  }

  override start(): void {}

  override get alive(): boolean {
    return this.#link.status.scraperAlive;
  }

  override statsOf(engineId: string): EngineStats | null {
    return this.#stats.get(engineId) ?? null;
  }

  override readingOf(engineId: string): ProgressReading | null {
    return this.#readings.get(engineId) ?? null;
  }

  /** The primary reads for all workers. */
  override hurry(engineId: string): void {
    this.#draft.suspect(engineId);
  }

  override retain(fleet: KnownEngines): void {
    const ids = new Set(fleet.engines.map(({ id }) => id));
    for (const id of this.#stats.keys()) if (!ids.has(id)) this.#stats.delete(id);
    for (const id of this.#readings.keys()) if (!ids.has(id)) this.#readings.delete(id);
  }

  override async prepare(): Promise<PreparedChange> {
    return { commit: () => {}, discard: async () => {} };
  }
}
