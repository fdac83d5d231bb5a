import { Timers } from '../../src/discovery/timers.js';

/** Timers whose clock stands still until a test moves it. */
export class ManualTimers extends Timers {
  /** What `random` returns. */
  chance = 0.5;
  readonly #due: { at: number; run: () => void }[] = [];
  #now: number;

  constructor(now = 1_700_000_000_000) {
    super();
    this.#now = now;
  }

  /** Timers that have not run and were not cancelled. */
  get pending(): number {
    return this.#due.length;
  }

  override now(): number {
    return this.#now;
  }

  override random(): number {
    return this.chance;
  }

  override after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#due.push(timer);
    return () => {
      const index = this.#due.indexOf(timer);
      if (index >= 0) this.#due.splice(index, 1);
    };
  }

  /** Moves the clock, runs what falls due in its order, and lets what it started settle. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settled();
      const next = this.#due.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#due.splice(this.#due.indexOf(next), 1);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }
}

/** Resolves once every promise that can settle without timers or sockets has. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
