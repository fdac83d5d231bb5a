import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnModuleDestroy,
  Optional,
} from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { type PreparedChange, Reconfigurable } from '../config/reconfigurable.js';
import type { Settings } from '../config/settings.schema.js';
import { SettingsStore } from '../config/settings-store.js';
import type { Engine } from '../core/engine.js';
import { progressReading, type ProgressReading, readEvery, readWithin } from '../core/engine-progress.js';
import { readEngineStats, type EngineStats } from '../core/prometheus-text.js';
import { EngineAccess } from '../security/engine-access.js';
import { engineGet } from '../upstream/engine-get.js';
import { LifetimeSeries } from './lifetime-series.js';
import type { KnownEngines } from './request-stats.service.js';
import { Schedule } from '../scheduling/schedule.js';

/** Longest wait for one engine's answer, seconds; the interval when that is shorter. */
const MAX_TIMEOUT = 10;
/** Largest answer taken in, bytes; a busy vLLM sends 70 KiB. */
const MAX_ANSWER = 4 * 1024 * 1024;

/** What the scraper keeps of one engine. */
interface Scraped {
  engine: Engine;
  stats: EngineStats | null;
  /** Ends the scrape that is under way; null between two. */
  underWay: AbortController | null;
  /** The last scrape failed: the next failure is not logged again. */
  failing: boolean;
  /** What the last scrape told of its progress. */
  reading: ProgressReading | null;
  /** When the last scrape began, monotonic milliseconds. */
  beganAt: number;
}

/**
 * Asks every engine for its `/metrics`: at once when it joins, then every `--engine-stats-interval`, all
 * engines side by side and each with its own timeout, so that one that hangs delays no other. A scrape
 * that is still under way is not started again. A failed one drops what was known of that engine: no
 * figure outlives its source. Bounded by the engines of the fleet.
 */
@Injectable()
export class EngineStatsScraper extends Reconfigurable implements OnModuleDestroy, BeforeApplicationShutdown {
  readonly #log = new Logger(EngineStatsScraper.name);
  readonly #settings: SettingsStore;
  readonly #series: LifetimeSeries;
  readonly #schedule: Schedule;
  readonly #scraped = new Map<string, Scraped>();
  /** Told of each engine's newest figures; null: there are none any more. */
  onStats: (engineId: string, stats: EngineStats | null) => void = () => {};

  constructor(
    settings: SettingsStore,
    schedulers: SchedulerRegistry,
    series: LifetimeSeries,
    @Optional() private readonly access?: EngineAccess,
  ) {
    super();
    this.#settings = settings;
    this.#series = series;
    this.#schedule = new Schedule(schedulers, 'engine-stats', () => this.#scrapeAll());
  }

  /** Begins to scrape; engines come with `retain`. */
  start(): void {
    this.#schedule.every(this.#settings.current.engineStatsInterval);
  }

  /** False only when the loop has ended without being told to. */
  get alive(): boolean {
    return this.#schedule.alive;
  }

  /** What the last scrape of the engine told; null before one succeeded, and when the last one failed. */
  statsOf(engineId: string): EngineStats | null {
    return this.#scraped.get(engineId)?.stats ?? null;
  }

  /** What the last scrape of the engine told of its progress, also one that failed; null before one ended. */
  readingOf(engineId: string): ProgressReading | null {
    return this.#scraped.get(engineId)?.reading ?? null;
  }

  /** Scrapes an engine that is suspected to stand still, unless a scrape is under way or has just begun. */
  hurry(engineId: string): void {
    const timeoutMs = this.#settings.current.stallTimeout * 1000;
    const scraped = this.#scraped.get(engineId);
    if (!scraped || timeoutMs === 0 || performance.now() - scraped.beganAt < readEvery(timeoutMs)) return;
    void this.#scrape(scraped, readWithin(timeoutMs));
  }

  /** Follows the fleet: new engines are scraped at once, those that left are forgotten. */
  retain(fleet: KnownEngines): void {
    const ids = new Set(fleet.engines.map(({ id }) => id));
    for (const [id, { underWay }] of this.#scraped) {
      if (ids.has(id)) continue;
      this.#scraped.delete(id);
      underWay?.abort();
    }
    for (const engine of fleet.engines) {
      const known = this.#scraped.get(engine.id);
      if (known) {
        known.engine = engine;
        continue;
      }
      const joined: Scraped = {
        ...{ engine, stats: null, underWay: null, failing: false },
        ...{ reading: null, beganAt: -Infinity },
      };
      this.#scraped.set(engine.id, joined);
      void this.#scrape(joined);
    }
  }

  override async prepare(next: Settings): Promise<PreparedChange> {
    return {
      commit: () => {
        if (this.#schedule.started) this.#schedule.every(next.engineStatsInterval);
      },
      discard: async () => {},
    };
  }

  onModuleDestroy(): void {
    this.#schedule.stop();
  }

  beforeApplicationShutdown(): void {
    for (const { underWay } of this.#scraped.values()) underWay?.abort();
    this.#scraped.clear();
  }

  #scrapeAll(): void {
    this.#log.debug(`Scraping metrics from ${this.#scraped.size} serving engine(s)`);
    for (const scraped of this.#scraped.values()) void this.#scrape(scraped);
  }

  /** One scrape of one engine; never rejects. */
  async #scrape(scraped: Scraped, mostMs = MAX_TIMEOUT * 1000): Promise<void> {
    if (scraped.underWay) return;
    const { engine } = scraped;
    const underWay = (scraped.underWay = new AbortController());
    scraped.beganAt = performance.now();
    const { engineStatsInterval } = this.#settings.current;
    let answered = false;
    try {
      const { status, text } = await engineGet(engine.url, '/metrics', {
        timeoutMs: Math.min(engineStatsInterval * 1000, mostMs),
        apiKey: this.access?.keyOf(engine.url),
        tls: this.access?.tls,
        maxBytes: MAX_ANSWER,
        signal: underWay.signal,
      });
      answered = true;
      if (status !== 200) throw new Error(`/metrics answered ${status}`);
      scraped.stats = readEngineStats(text);
      this.#told(scraped, true);
      this.onStats(engine.id, scraped.stats);
      if (scraped.failing) this.#log.log(`the metrics of ${engine.url} are read again`);
      scraped.failing = false;
    } catch (error) {
      if (!underWay.signal.aborted) this.#failed(scraped, error, answered);
    } finally {
      scraped.underWay = null;
    }
  }

  #told(scraped: Scraped, answered: boolean): void {
    scraped.reading = progressReading(scraped.stats, answered, scraped.reading, performance.now());
  }

  #failed(scraped: Scraped, error: unknown, answered: boolean): void {
    scraped.stats = null;
    this.#told(scraped, answered);
    this.onStats(scraped.engine.id, null);
    this.#series.ofEngine(scraped.engine.url).scrapeFailures++;
    if (scraped.failing) return;
    scraped.failing = true;
    const why = error instanceof Error ? error.message || error.name : String(error);
    this.#log.warn(`the metrics of ${scraped.engine.url} cannot be read: ${why}; its figures are dropped`);
  }
}
