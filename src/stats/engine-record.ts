import type { Engine } from '../core/engine.js';
import type { Signals } from '../core/ranking.js';
import { SlidingWindow } from '../core/sliding-window.js';

/** Where the live numbers of a record come from. */
export interface SignalSources {
  now(): number;
  engineWaiting(engineId: string): number | null;
  engineRunning(engineId: string): number | null;
}

/** All numbers of one engine, 4 KiB. It is the live `Signals` view itself: reading costs no allocation. */
export class EngineRecord implements Signals {
  engine: Engine;
  readonly arrivals: SlidingWindow;
  readonly timeToFirstToken: SlidingWindow;
  readonly interToken: SlidingWindow;
  readonly latency: SlidingWindow;
  readonly decodingTime: SlidingWindow;
  /** Requests of this process whose first token has not come, and has. */
  prefill = 0;
  decoding = 0;
  finished = 0;
  /** When something that the engine computed last came from it, monotonic milliseconds. */
  progressAt = -Infinity;
  /** Monotonic milliseconds; null before it. */
  firstRequestAt: number | null = null;
  /** Requests of the other processes on the port, as they told last. */
  othersInFlight = 0;
  readonly #sources: SignalSources;

  /** @param span of the windows, milliseconds */
  constructor(engine: Engine, span: number, sources: SignalSources) {
    this.engine = engine;
    this.arrivals = new SlidingWindow(span);
    this.timeToFirstToken = new SlidingWindow(span);
    this.interToken = new SlidingWindow(span);
    this.latency = new SlidingWindow(span);
    this.decodingTime = new SlidingWindow(span);
    this.#sources = sources;
  }

  /** Requests of this process. */
  get ownInFlight(): number {
    return this.prefill + this.decoding;
  }

  get inFlight(): number {
    return this.prefill + this.decoding + this.othersInFlight;
  }

  get qps(): number {
    return this.arrivals.rate(this.#sources.now());
  }

  get engineWaiting(): number | null {
    return this.#sources.engineWaiting(this.engine.id);
  }

  get engineRunning(): number | null {
    return this.#sources.engineRunning(this.engine.id);
  }

  resize(now: number, span: number): void {
    this.arrivals.resize(now, span);
    this.timeToFirstToken.resize(now, span);
    this.interToken.resize(now, span);
    this.latency.resize(now, span);
    this.decodingTime.resize(now, span);
  }
}
