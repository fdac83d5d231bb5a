const FIRST_STEP = 0.5;
const LAST_STEP = 0.02;

/**
 * A running median of positive values over many orders of magnitude: each value moves the estimate one step up or
 * down, by a factor of e^step. Steps shrink from .5 to .02, so that a few values find the place and one outlier,
 * however large, moves it by 2 %. Holds two numbers. (Stochastic approximation of a quantile, Robbins and Monro 1951.)
 */
export class TrackedMedian {
  #log: number | null = null;
  #values = 0;

  /** Values taken in since the begin. */
  get values(): number {
    return this.#values;
  }

  /** Null before the first value. */
  get value(): number | null {
    return this.#log === null ? null : Math.exp(this.#log);
  }

  /** Takes in a value; one that is not positive and finite is not heard. */
  add(value: number): void {
    if (!(value > 0) || !Number.isFinite(value)) return;
    const log = Math.log(value);
    this.#values++;
    if (this.#log === null) this.#log = log;
    else {
      const step = Math.max(LAST_STEP, FIRST_STEP / this.#values);
      const gap = log - this.#log;
      this.#log += Math.sign(gap) * Math.min(step, Math.abs(gap));
    }
  }
}
