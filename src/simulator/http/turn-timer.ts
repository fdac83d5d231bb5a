/** Timers count whole milliseconds: what is due within this time, seconds, is due. */
export const EARLY = 0.0006;

/** One call back at a time, at a point in time; the next turn of the event loop for one that is past. */
export class TurnTimer {
  #stop: (() => void) | null = null;
  #at = 0;

  /** @param clock seconds */
  constructor(
    private readonly clock: () => number,
    private readonly turn: () => void,
  ) {}

  /** Calls back at `at`, seconds, and at no other time that was set before. */
  set(at: number): void {
    if (this.#stop !== null && this.#at === at) return;
    this.clear();
    this.#at = at;
    const ms = (at - this.clock()) * 1e3;
    const fire = (): void => {
      this.#stop = null;
      this.turn();
    };
    if (ms <= EARLY * 1e3) {
      const immediate = setImmediate(fire);
      this.#stop = () => clearImmediate(immediate);
    } else {
      const timeout = setTimeout(fire, Math.min(0x7fffffff, Math.round(ms)));
      this.#stop = () => clearTimeout(timeout);
    }
  }

  clear(): void {
    this.#stop?.();
    this.#stop = null;
  }
}
