import type { Engine } from '../core/engine.js';
import type { Signals } from '../core/ranking.js';
import { SlidingWindow } from '../core/sliding-window.js';
import { labelsOf, ofModel, OTHER_MODELS } from './model-label.js';

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
  /** Requests of this process. */
  ownInFlight = 0;
  /** Requests of the other processes on the port, as they told last. */
  othersInFlight = 0;
  readonly #arrivals: SlidingWindow;
  readonly #sources: SignalSources;
  #span: number;

  constructor(engine: Engine, span: number, sources: SignalSources) {
    this.engine = engine;
    this.#arrivals = new SlidingWindow(span);
    this.#span = span;
    this.#sources = sources;
  }

  get inFlight(): number {
    return this.ownInFlight + this.othersInFlight;
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

function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}
