import { isDeepStrictEqual } from 'node:util';
import { Injectable } from '@nestjs/common';
import { LoadedSettings } from '../config/load-settings.js';
import { SettingsStore } from '../config/settings-store.js';
import type { Engine } from '../core/engine.js';
import type { Fleet } from '../core/fleet.js';
import type { HealthNews } from '../core/health/health-news.js';
import { type EngineStats, isAsleep } from '../core/prometheus-text.js';
import { RouterRun } from '../decisions/router-run.js';
import { FleetService } from '../discovery/fleet.service.js';
import type { DynamicConfigState } from '../dynamic-config/dynamic-config.service.js';
import { HealthService } from '../health/health.service.js';
import { EngineStatsScraper } from '../stats/engine-stats.scraper.js';
import { HealthMarks, turned } from './health-marks.js';
import {
  BATCH_MS,
  type Beginning,
  type EngineFigures,
  type Mark,
  type PrimaryNews,
  type Progress,
  type RouterStatus,
} from './messages.js';
import { NewsChannel } from './news-channel.js';
import { StrategyRelay } from './strategy-relay.js';
import { WorkerLedger } from './worker-ledger.js';
import { WorkerPool } from './worker-pool.js';

/** How often it is looked whether the status has changed without an event, milliseconds. */
const STATUS_MS = 100;

const NOTHING_APPLIED: DynamicConfigState = {
  enabled: false,
  applied: null,
  appliedHash: null,
  appliedAt: null,
  lastError: null,
};

/** What one worker has not been told yet. Bounded by the engines. */
interface Untold {
  readonly channel: NewsChannel<PrimaryNews>;
  /** The engines that the worker knows. */
  known: ReadonlyMap<string, Engine>;
  readonly stats: Set<string>;
  readonly marks: HealthMarks;
  /** By engine: when it last made progress at another worker, monotonic milliseconds. */
  readonly progress: Map<string, number>;
  commit: PrimaryNews['commit'];
  status: RouterStatus;
}

/** What the primary knows and the workers must know too: the fleet, its statistics, and what the others hold. */
@Injectable()
export class PrimaryState {
  readonly ledger = new WorkerLedger();
  readonly strategies = new StrategyRelay();
  readonly #run = new RouterRun();
  readonly #untold = new Map<number, Untold>();
  readonly #stats = new Map<string, EngineStats>();
  #timer: NodeJS.Timeout | null = null;
  #dynamicConfig: () => DynamicConfigState = () => NOTHING_APPLIED;

  constructor(
    private readonly loaded: LoadedSettings,
    private readonly settings: SettingsStore,
    private readonly fleet: FleetService,
    private readonly scraper: EngineStatsScraper,
    private readonly health: HealthService,
    private readonly pool: WorkerPool,
  ) {}

  /** Begins to follow the primary's parts. @param dynamicConfig reads the state of the dynamic file */
  follow(dynamicConfig: () => DynamicConfigState): void {
    this.#dynamicConfig = dynamicConfig;
    this.fleet.onChange((next) => this.#fleetChanged(next));
    this.#fleetChanged(this.fleet.current);
    this.health.onNews = ({ id }, news) => {
      this.#mark(id, news, null);
      this.touchAll();
    };
    this.scraper.onStats = (engineId, stats) => this.#scraped(engineId, stats);
    this.#timer = setInterval(() => this.#look(), STATUS_MS).unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const { channel } of this.#untold.values()) channel.close();
  }

  beginning(number: number, port: number): Beginning {
    const { current } = this.fleet;
    const { origins, startup, dynamicFile } = this.loaded;
    const now = performance.now();
    return {
      number,
      // What is in force now, and none of the warnings, which the primary has logged.
      loaded: { origins, startup, dynamicFile, settings: this.settings.current, warnings: [] },
      port,
      key: this.#run.key,
      status: this.#status(),
      firstSeen: current.firstSeen,
      news: {
        fleet: { ids: current.engines.map(({ id }) => id), changed: current.engines, now: 0 },
        stats: current.engines.map(({ id }) => this.#figures(id)),
        marks: [...this.health.inForce(now)].map(([engineId, news]) => ({
          engineId,
          news: turned(news, now),
        })),
      },
    };
  }

  join(number: number): void {
    this.leave(number);
    this.ledger.join(number);
    this.strategies.join(number);
    const channel = new NewsChannel<PrimaryNews>(
      BATCH_MS,
      () => this.#gather(number),
      (news, sent) => this.pool.send(number, { type: 'news', news }, sent),
    );
    const known = byId(this.fleet.current);
    this.#untold.set(number, {
      ...{ channel, known, stats: new Set<string>(), marks: new HealthMarks(), progress: new Map() },
      ...{ commit: undefined, status: this.#status() },
    });
    channel.touch();
  }

  leave(number: number): void {
    this.ledger.leave(number);
    this.strategies.leave(number);
    this.#untold.get(number)?.channel.close();
    this.#untold.delete(number);
    this.touchAll();
  }

  /** Each worker is told what is new to it, in at most `BATCH_MS`. */
  touchAll(): void {
    for (const { channel } of this.#untold.values()) channel.touch();
  }

  /** A worker tells of the health of engines. */
  marked(from: number, marks: readonly Mark[]): void {
    const now = performance.now();
    for (const mark of marks) {
      const news = turned(mark.news, now);
      this.health.learn(mark.engineId, news, now);
      this.#mark(mark.engineId, news, from);
    }
  }

  /** A worker doubts engines: their figures are read. And it has seen progress of those that somebody doubts. */
  suspected(from: number, suspects: readonly string[], progress: readonly Progress[]): void {
    for (const id of suspects) this.scraper.hurry(id);
    const now = performance.now();
    for (const [id, ago] of progress) {
      for (const [number, untold] of this.#untold) if (number !== from) untold.progress.set(id, now - ago);
    }
  }

  /** Puts settings in force in all workers, together with what else changes in this turn of the event loop. */
  commit(commit: NonNullable<PrimaryNews['commit']>): void {
    for (const untold of this.#untold.values()) untold.commit = commit;
    setImmediate(() => {
      for (const { channel } of this.#untold.values()) channel.flush();
    });
  }

  #gather(number: number): PrimaryNews | null {
    const untold = this.#untold.get(number);
    if (!untold) return null;
    const { commit } = untold;
    const status = this.#status();
    const now = performance.now();
    const marks = untold.marks.take(now);
    const stats = [...untold.stats].map((id) => this.#figures(id));
    const progress = [...untold.progress].map(([id, at]) => [id, now - at] as const);
    const news: PrimaryNews = {
      commit,
      status: isDeepStrictEqual(status, untold.status) ? undefined : status,
      fleet: this.#fleetNews(untold),
      stats: stats.length > 0 ? stats : undefined,
      others: this.ledger.take(number) ?? undefined,
      marks: marks.length > 0 ? marks : undefined,
      progress: progress.length > 0 ? progress : undefined,
      strategy: this.strategies.take(number) ?? undefined,
    };
    untold.commit = undefined;
    untold.status = status;
    untold.stats.clear();
    untold.progress.clear();
    return Object.values(news).every((part) => part === undefined) ? null : news;
  }

  /** All workers are told but the one that has told of it. */
  #mark(engineId: string, news: HealthNews, from: number | null): void {
    for (const [number, { marks }] of this.#untold) if (number !== from) marks.add(engineId, news);
  }

  #fleetNews(untold: Untold): PrimaryNews['fleet'] {
    const { current } = this.fleet;
    const { known } = untold;
    const changed = current.engines.filter((engine) => known.get(engine.id) !== engine);
    if (changed.length === 0 && known.size === current.engines.length) return undefined;
    untold.known = byId(current);
    return { ids: current.engines.map(({ id }) => id), changed, now: Math.floor(Date.now() / 1_000) };
  }

  #fleetChanged(fleet: Fleet): void {
    this.scraper.retain(fleet);
    this.health.retain(fleet);
    for (const id of this.#stats.keys()) if (fleet.byId(id) === undefined) this.#stats.delete(id);
    this.touchAll();
  }

  #scraped(engineId: string, stats: EngineStats | null): void {
    if (stats === null || this.fleet.current.byId(engineId) === undefined) this.#stats.delete(engineId);
    else this.#stats.set(engineId, stats);
    this.health.slept(engineId, isAsleep(stats), performance.now());
    for (const untold of this.#untold.values()) untold.stats.add(engineId);
    this.touchAll();
  }

  #figures(engineId: string): EngineFigures {
    return [engineId, this.#stats.get(engineId) ?? null, this.scraper.readingOf(engineId)];
  }

  #look(): void {
    const status = this.#status();
    for (const untold of this.#untold.values()) {
      if (!isDeepStrictEqual(status, untold.status)) untold.channel.touch();
    }
  }

  #status(): RouterStatus {
    return {
      fleet: this.fleet.status,
      synced: this.fleet.synced,
      scraperAlive: this.scraper.alive,
      dynamicConfig: this.#dynamicConfig(),
      workers: this.pool.counts,
    };
  }
}

function byId(fleet: Fleet): ReadonlyMap<string, Engine> {
  return new Map(fleet.engines.map((engine) => [engine.id, engine]));
}
