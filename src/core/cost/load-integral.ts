/**
 * The integral of a load over time, from whose value at two moments the mean between them follows. Holds three
 * numbers. Times are monotonic milliseconds; one that steps back counts as the latest before it.
 */
export class LoadIntegral {
  #load = 0;
  #at: number | null = null;
  #sum = 0;

  /** From `at` on the load is `load`. */
  set(load: number, at: number): void {
    this.#advance(at);
    if (Number.isFinite(load)) this.#load = Math.max(0, load);
  }

  /** Load times milliseconds, up to `at`. */
  until(at: number): number {
    this.#advance(at);
    return this.#sum;
  }

  #advance(at: number): void {
    if (!Number.isFinite(at)) return;
    if (this.#at !== null && at > this.#at) this.#sum += this.#load * (at - this.#at);
    if (this.#at === null || at > this.#at) this.#at = at;
  }
}
