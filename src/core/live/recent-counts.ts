/**
 * How much counters that only go up have grown lately, by steps of equal length. Of one that falls, since what it counted
 * was forgotten, nothing is counted for that step. Bounded: `steps` rows of as many numbers as there are counters; a step
 * in which nothing grew costs nothing.
 */
export class RecentCounts {
  #last: Float64Array;
  readonly #steps: (Uint32Array | null)[];
  #next = 0;

  /** @param steps that are remembered @param width counters */
  constructor(
    steps: number,
    readonly width: number,
  ) {
    this.#last = new Float64Array(width);
    this.#steps = Array.from({ length: steps }, () => null);
  }

  /** Ends a step. */
  step(counters: Float64Array): void {
    this.#steps[this.#next] = grown(this.#last, counters);
    this.#next = (this.#next + 1) % this.#steps.length;
    this.#last = counters;
  }

  /** Growth in the last `steps` that have ended, and since. */
  lately(counters: Float64Array, steps: number = this.#steps.length): Float64Array {
    const sums = Float64Array.from(grown(this.#last, counters) ?? new Float64Array(this.width));
    for (let back = 1; back <= Math.min(steps, this.#steps.length); back++) {
      const step = this.#steps[(this.#next - back + this.#steps.length) % this.#steps.length];
      if (step) for (let at = 0; at < sums.length; at++) sums[at]! += step[at]!;
    }
    return sums;
  }

  /** Growth in the last step that has ended; null for none. */
  get newest(): Uint32Array | null {
    return this.#steps[(this.#next - 1 + this.#steps.length) % this.#steps.length] ?? null;
  }
}

function grown(before: Float64Array, after: Float64Array): Uint32Array | null {
  let any = false;
  for (let at = 0; at < after.length && !any; at++) any = after[at]! > before[at]!;
  if (!any) return null;
  return Uint32Array.from(after, (value, at) => Math.max(0, value - before[at]!));
}
