import type { ServedModel } from '../core/engine.js';
import type { ModelProber } from './model-prober.js';
import type { Timers } from './timers.js';

/** Engines asked at the same time. */
const MAX_AT_ONCE = 32;
/** Wait after a first failure, milliseconds; doubles with each further one. */
const FIRST_RETRY = 500;
/** The longest wait after a failure, milliseconds. */
const LAST_RETRY = 5_000;

/** Read before each probe, so that a reload counts from the next one on. */
export interface RefreshLimits {
  /** Between two successful probes of one engine, milliseconds. */
  readonly interval: number;
  /** Of one probe, milliseconds. */
  readonly timeout: number;
}

/** Hears of each probe, with the id that was given to `watch`. */
export interface RefreshListener {
  learned(id: string, models: readonly ServedModel[]): void;
  failed(id: string, reason: string): void;
}

interface Watched {
  readonly id: string;
  readonly url: string;
  gone: boolean;
  failures: number;
  /** Ends what is under way: the wait for the next probe, or the probe. */
  cancel: () => void;
}

/**
 * Asks each watched engine for its models: at once, then on a period, after a failure with growing
 * waits. Each engine has a clock of its own, so one that hangs delays no other. Holds one entry for
 * each watched engine.
 */
export class ModelRefresher {
  readonly #watched = new Map<string, Watched>();
  readonly #waiting = new Set<Watched>();
  #asking = 0;

  constructor(
    private readonly prober: ModelProber,
    private readonly timers: Timers,
    private readonly limits: () => RefreshLimits,
    private readonly listener: RefreshListener,
  ) {}

  watch(id: string, url: string): void {
    this.forget(id);
    const engine: Watched = { id, url, gone: false, failures: 0, cancel: () => {} };
    this.#watched.set(id, engine);
    this.#ask(engine);
  }

  /** After it the listener hears nothing more of the engine, a probe under way included. */
  forget(id: string): void {
    const engine = this.#watched.get(id);
    if (!engine) return;
    this.#watched.delete(id);
    this.#waiting.delete(engine);
    engine.gone = true;
    engine.cancel();
  }

  stop(): void {
    for (const id of this.#watched.keys()) this.forget(id);
  }

  #ask(engine: Watched): void {
    if (this.#asking >= MAX_AT_ONCE) {
      this.#waiting.add(engine);
      return;
    }
    this.#asking++;
    void this.#probe(engine).then((wait) => {
      this.#asking--;
      if (!engine.gone) engine.cancel = this.timers.after(wait, () => this.#ask(engine));
      const [next] = this.#waiting;
      if (!next) return;
      this.#waiting.delete(next);
      this.#ask(next);
    });
  }

  /** Never rejects; returns how long to wait for the next probe, milliseconds. */
  async #probe(engine: Watched): Promise<number> {
    const { interval, timeout } = this.limits();
    const probe = new AbortController();
    engine.cancel = () => probe.abort();
    try {
      const models = await this.prober.probe(engine.url, {
        timeoutMs: timeout,
        signal: probe.signal,
      });
      engine.failures = 0;
      if (!engine.gone) this.listener.learned(engine.id, models);
      // A tenth of jitter keeps the routers and engines of one rollout from probing in step.
      return interval * (0.9 + 0.2 * this.timers.random());
    } catch (error) {
      if (!engine.gone) this.listener.failed(engine.id, reasonOf(error));
      const grown = FIRST_RETRY * 2 ** Math.min(engine.failures++, 10);
      return Math.min(LAST_RETRY, interval, grown) * (0.5 + 0.5 * this.timers.random());
    }
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'TimeoutError') return 'no answer in time';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
