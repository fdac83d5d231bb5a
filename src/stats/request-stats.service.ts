import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import type { AttemptEvent } from '../core/attempt-event.js';
import { isComputed } from '../core/cost/prompt-work.js';
import type { Engine } from '../core/engine.js';
import type { Histogram } from '../core/histogram.js';
import type { Signals } from '../core/ranking.js';
import type { SlidingWindow } from '../core/sliding-window.js';
import { EngineRecord, type SignalSources } from './engine-record.js';
import { EngineStatsScraper } from './engine-stats.scraper.js';
import { LifetimeSeries } from './lifetime-series.js';
import { OpenAttempts } from './open-attempts.js';
import { type FigureSums, figures, type RequestFigures, sumsOf } from './request-figures.js';
import { StatsClock } from './stats-clock.js';

/** The engines known now; `Fleet` is one. */
export interface KnownEngines {
  readonly engines: readonly Engine[];
}

/** Takes the gap between two frames of one stream, seconds; cheap enough to be called for each frame. */
export interface InterTokenTimer {
  observe(seconds: number): void;
}

/**
 * What the router itself knows of requests, by engine. Fed by attempt events, O(1) each.
 *
 * In-flight counts follow the attempts themselves: an event that has no open attempt (a second
 * `finished`, one without `dispatched`) changes nothing, so that no count drifts. Bounded by the engines
 * of the fleet, those that still have requests, and the requests in flight.
 */
@Injectable()
export class RequestStatsService {
  readonly #settings: SettingsStore;
  readonly #clock: StatsClock;
  readonly #series: LifetimeSeries;
  readonly #sources: SignalSources;
  readonly #records = new Map<string, EngineRecord>();
  readonly #open = new OpenAttempts();
  /** By the histogram they write to, which is of one engine and model, so that they vanish together. */
  readonly #timers = new WeakMap<Histogram, WindowedTimer>();
  /** Null until told of a fleet: then nothing is forgotten. */
  #fleet: ReadonlyMap<string, Engine> | null = null;
  #span: number;

  constructor(
    settings: SettingsStore,
    scraper: EngineStatsScraper,
    series: LifetimeSeries,
    clock: StatsClock,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#series = series;
    this.#span = settings.current.requestStatsWindow * 1000;
    this.#sources = {
      now: () => clock.now(),
      engineWaiting: (id) => scraper.statsOf(id)?.waiting ?? null,
      engineRunning: (id) => scraper.statsOf(id)?.running ?? null,
    };
  }

  /** Takes in one event of an attempt; O(1), never throws. */
  observe(event: AttemptEvent): void {
    if (event.type === 'dispatched') this.#dispatched(event);
    else if (event.type === 'firstToken') this.#firstToken(event);
    else this.#finished(event);
  }

  /** The live signals of an engine; the same object each time while the engine is known. */
  signalsOf(engine: Engine): Signals {
    return this.#recordOf(engine);
  }

  /** Where the relay reports the gaps between the frames of streams of `model`; cached. */
  interToken(engine: Engine, model: string): InterTokenTimer {
    const { interToken: recent } = this.#recordOf(engine);
    const { interToken: lifetime } = this.#series.ofModel(engine, model);
    let timer = this.#timers.get(lifetime);
    if (timer?.recent !== recent) {
      timer = new WindowedTimer(lifetime, recent, this.#clock);
      this.#timers.set(lifetime, timer);
    }
    return timer;
  }

  /** Requests of this process in flight on an engine. */
  ownInFlight(engineId: string): number {
    return this.#records.get(engineId)?.ownInFlight ?? 0;
  }

  /** Requests of this process in flight, on all engines. */
  get allInFlight(): number {
    let all = 0;
    for (const record of this.#records.values()) all += record.ownInFlight;
    return all;
  }

  /** When an engine last began or ended an answer that it had to compute, monotonic milliseconds. */
  progressAt(engineId: string): number {
    return this.#records.get(engineId)?.progressAt ?? -Infinity;
  }

  /** Takes what the other processes on the port have in flight on an engine, which its signals then show. */
  setOthersInFlight(engine: Engine, count: number): void {
    this.#recordOf(engine).othersInFlight = count;
  }

  /** What the figures of each known engine are made of, by the engine's id. */
  sumsByEngine(): ReadonlyMap<string, { readonly url: string; readonly sums: FigureSums }> {
    this.prune();
    this.#followWindow();
    const now = this.#clock.now();
    return new Map(
      [...this.#records.values()]
        .filter(({ firstRequestAt }) => firstRequestAt !== null)
        .map((record) => [record.engine.id, { url: record.engine.url, sums: sumsOf([record], now) }]),
    );
  }

  /** Figures of one engine; null before anything was sent to it. */
  figuresOf(engineId: string): RequestFigures | null {
    const record = this.#records.get(engineId);
    this.#followWindow();
    return record && record.firstRequestAt !== null ? figures([record], this.#clock.now()) : null;
  }

  /**
   * Figures by base URL, for labels: engines that follow each other at one address count together. Has
   * every engine of the fleet, and those that left and still have requests.
   */
  figuresByUrl(): ReadonlyMap<string, RequestFigures> {
    this.prune();
    this.#followWindow();
    const now = this.#clock.now();
    const records = new Map<string, EngineRecord[]>();
    for (const engine of this.engines) records.set(engine.url, []);
    for (const record of this.#records.values()) {
      records.set(record.engine.url, [...(records.get(record.engine.url) ?? []), record]);
    }
    return new Map([...records].map(([url, ofUrl]) => [url, figures(ofUrl, now)]));
  }

  /** The engines of the fleet last told of. */
  get engines(): readonly Engine[] {
    return [...(this.#fleet?.values() ?? [])];
  }

  /** Keeps what is known of these engines; the others are forgotten once nothing of theirs is in flight. */
  retain(fleet: KnownEngines): void {
    this.#fleet = new Map(fleet.engines.map((engine) => [engine.id, engine]));
    for (const engine of fleet.engines) {
      const record = this.#records.get(engine.id);
      if (record) record.engine = engine;
    }
    this.#series.retainModels(fleet.engines);
    this.prune();
  }

  /** Forgets what `retain` has let go of and what has ended since; called by each reader of all figures. */
  prune(): void {
    if (this.#fleet === null) return;
    for (const [id, record] of this.#records) {
      if (record.ownInFlight === 0 && !this.#fleet.has(id)) this.#records.delete(id);
    }
    const urls = new Set(this.engines.map(({ url }) => url));
    for (const { engine } of this.#records.values()) urls.add(engine.url);
    this.#series.retain(urls);
  }

  #dispatched(event: AttemptEvent): void {
    this.#followWindow();
    if (this.#open.find(event)) return;
    const { request, engine, attempt, at } = event;
    const record = this.#recordOf(engine);
    record.arrivals.add(at);
    record.prefill++;
    record.firstRequestAt ??= at;
    this.#open.begin(request, {
      attempt,
      engineId: engine.id,
      record,
      firstTokenAt: null,
      next: null,
    });
  }

  #firstToken(event: AttemptEvent & { type: 'firstToken' }): void {
    const open = this.#open.find(event);
    if (!open || open.firstTokenAt !== null) return;
    open.firstTokenAt = event.at;
    open.record.prefill--;
    open.record.decoding++;
    open.record.timeToFirstToken.add(event.at, event.sinceDispatch / 1000);
    if (isComputed(event.request.path)) open.record.progressAt = event.at;
  }

  #finished(event: AttemptEvent & { type: 'finished' }): void {
    const open = this.#open.find(event);
    if (!open) return;
    this.#open.end(event.request, open);
    const { at, outcome } = event;
    const { engineId, record, firstTokenAt } = open;
    if (firstTokenAt === null) record.prefill--;
    else record.decoding--;
    record.finished++;
    if (outcome === 'done') {
      if (isComputed(event.request.path)) record.progressAt = at;
      record.latency.add(at, event.sinceDispatch / 1000);
      if (firstTokenAt !== null) record.decodingTime.add(at, (at - firstTokenAt) / 1000);
    }
    const left = this.#fleet !== null && !this.#fleet.has(engineId);
    if (left && record.ownInFlight === 0) this.#records.delete(engineId);
  }

  #recordOf(engine: Engine): EngineRecord {
    let record = this.#records.get(engine.id);
    if (!record) {
      record = new EngineRecord(engine, this.#span, this.#sources);
      this.#records.set(engine.id, record);
    }
    return record;
  }

  /** Takes over a window that a reload has changed. */
  #followWindow(): void {
    const span = this.#settings.current.requestStatsWindow * 1000;
    if (span === this.#span) return;
    this.#span = span;
    const now = this.#clock.now();
    for (const record of this.#records.values()) record.resize(now, span);
  }
}

class WindowedTimer implements InterTokenTimer {
  constructor(
    readonly lifetime: Histogram,
    readonly recent: SlidingWindow,
    readonly clock: StatsClock,
  ) {}

  observe(seconds: number): void {
    this.lifetime.observe(seconds);
    this.recent.add(this.clock.now(), seconds);
  }
}
