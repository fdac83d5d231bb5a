import type { Engine } from '../core/engine.js';
import type { Signals } from '../core/ranking.js';
import { SlidingWindow } from '../core/sliding-window.js';
import { labelsOf, ofModel, OTHER_MODELS } from './model-label.js';

/** The figures of one engine, or of one model on it; means and rates over the statistics window. */
export interface RequestFigures {
  /** Requests sent per second: arrivals in the window by the whole window, also right after the start. */
  readonly qps: number;
  /** Mean seconds; null without a sample in the window. */
  readonly timeToFirstToken: number | null;
  readonly interToken: number | null;
  /** Of attempts that ended well, from dispatch to end. */
  readonly latency: number | null;
  /** Of attempts that ended well, from the first token to the end. */
  readonly decodingTime: number | null;
  /** Sent, and no token has come. */
  readonly prefill: number;
  /** A token has come, and the end has not. */
  readonly decoding: number;
  /** `prefill` and `decoding`. */
  readonly running: number;
  /** Ended since the engine joined, however. */
  readonly finished: number;
  /** Of these, ended by the engine's fault. */
  readonly failed: number;
  /** Seconds since the first request; null before it. */
  readonly uptime: number | null;
}

/** Numbers of one model on one engine. */
export class ModelRecord {
  readonly arrivals: SlidingWindow;
  readonly timeToFirstToken: SlidingWindow;
  readonly interToken: SlidingWindow;
  readonly latency: SlidingWindow;
  readonly decodingTime: SlidingWindow;
  prefill = 0;
  decoding = 0;
  finished = 0;
  failed = 0;
  firstRequestAt: number | null = null;

  constructor(span: number) {
    this.arrivals = new SlidingWindow(span);
    this.timeToFirstToken = new SlidingWindow(span);
    this.interToken = new SlidingWindow(span);
    this.latency = new SlidingWindow(span);
    this.decodingTime = new SlidingWindow(span);
  }

  resize(now: number, span: number): void {
    this.arrivals.resize(now, span);
    this.timeToFirstToken.resize(now, span);
    this.interToken.resize(now, span);
    this.latency.resize(now, span);
    this.decodingTime.resize(now, span);
  }
}

/** Where the live numbers of a record come from. */
export interface SignalSources {
  now(): number;
  engineWaiting(engineId: string): number | null;
  engineRunning(engineId: string): number | null;
}

/** All numbers of one engine. It is the live `Signals` view itself: reading costs no allocation. */
export class EngineRecord implements Signals {
  engine: Engine;
  /** Bounded by `ofModel`; 4 KiB each. */
  readonly models = new Map<string, ModelRecord>();
  inFlight = 0;
  readonly #arrivals: SlidingWindow;
  readonly #sources: SignalSources;
  #span: number;

  constructor(engine: Engine, span: number, sources: SignalSources) {
    this.engine = engine;
    this.#arrivals = new SlidingWindow(span);
    this.#span = span;
    this.#sources = sources;
  }

  get qps(): number {
    return this.#arrivals.rate(this.#sources.now());
  }

  get engineWaiting(): number | null {
    return this.#sources.engineWaiting(this.engine.id);
  }

  get engineRunning(): number | null {
    return this.#sources.engineRunning(this.engine.id);
  }

  ofModel(model: string): ModelRecord {
    return ofModel(this.models, this.engine, model, () => new ModelRecord(this.#span));
  }

  arrived(at: number): void {
    this.#arrivals.add(at);
  }

  resize(now: number, span: number): void {
    this.#span = span;
    this.#arrivals.resize(now, span);
    for (const model of this.models.values()) model.resize(now, span);
  }

  /** Takes the engine's newest description; models that it has ceased to serve go on as `other`. */
  update(engine: Engine): void {
    this.engine = engine;
    if (engine.models.length === 0) return;
    const served = labelsOf([engine]);
    for (const [model, record] of this.models) {
      if (record.prefill + record.decoding > 0 || served.has(model)) continue;
      this.models.delete(model);
      const other = this.models.get(OTHER_MODELS) ?? new ModelRecord(this.#span);
      this.models.set(OTHER_MODELS, other);
      other.finished += record.finished;
      other.failed += record.failed;
      other.firstRequestAt = earlier(other.firstRequestAt, record.firstRequestAt);
    }
  }
}

/** The figures of several records together: of an engine's models, of the engines at one URL. */
export function figures(records: Iterable<ModelRecord>, now: number): RequestFigures {
  let qps = 0;
  let prefill = 0;
  let decoding = 0;
  let finished = 0;
  let failed = 0;
  let first: number | null = null;
  const means = {
    timeToFirstToken: new Mean(),
    interToken: new Mean(),
    latency: new Mean(),
    decodingTime: new Mean(),
  };
  for (const record of records) {
    qps += record.arrivals.rate(now);
    prefill += record.prefill;
    decoding += record.decoding;
    finished += record.finished;
    failed += record.failed;
    first = earlier(first, record.firstRequestAt);
    for (const name of Object.keys(means) as (keyof typeof means)[]) means[name].add(record[name], now);
  }
  return {
    qps,
    timeToFirstToken: means.timeToFirstToken.value,
    interToken: means.interToken.value,
    latency: means.latency.value,
    decodingTime: means.decodingTime.value,
    prefill,
    decoding,
    running: prefill + decoding,
    finished,
    failed,
    uptime: first === null ? null : Math.max(0, now - first) / 1000,
  };
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

class Mean {
  #count = 0;
  #sum = 0;

  add(window: SlidingWindow, now: number): void {
    this.#count += window.count(now);
    this.#sum += window.sum(now);
  }

  get value(): number | null {
    return this.#count === 0 ? null : this.#sum / this.#count;
  }
}
