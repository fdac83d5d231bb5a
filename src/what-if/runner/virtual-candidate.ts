import type { Engine } from '../../core/engine.js';
import type { EngineStats } from '../../core/prometheus-text.js';
import type { Candidate, Signals } from '../../core/ranking.js';
import { SlidingWindow } from '../../core/sliding-window.js';

/** The statistics window of the router by default, milliseconds. */
const WINDOW_MS = 60_000;

/** One engine as one simulated router process sees it: a candidate with live signals. */
export class VirtualCandidate implements Candidate, Signals {
  readonly engine: Engine;
  /** Requests of this process in flight. */
  own = 0;
  /** Requests of the other processes, as they told last. */
  others = 0;
  /** The last scrape. */
  stats: EngineStats | null = null;
  readonly #sent = new SlidingWindow(WINDOW_MS);
  #now = 0;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  get signals(): Signals {
    return this;
  }

  get inFlight(): number {
    return this.own + this.others;
  }

  get qps(): number {
    return this.#sent.rate(this.#now);
  }

  get engineWaiting(): number | null {
    return this.stats?.waiting ?? null;
  }

  get engineRunning(): number | null {
    return this.stats?.running ?? null;
  }

  /** Rates are those at `now`, in milliseconds. */
  setNow(now: number): void {
    this.#now = now;
  }

  sent(now: number): void {
    this.own++;
    this.#sent.add(now);
  }
}
