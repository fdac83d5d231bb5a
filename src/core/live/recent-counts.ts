/**
 * How much counters that only go up have grown lately, by steps of equal length. Of one that falls, since what it counted
 * was forgotten, nothing is counted for that step. Bounded: `steps` rows of as many numbers as there are counters, which
 * are there once something has grown.
 */
export class RecentCounts {
  readonly #last: Float64Array;
  /** Made when they are needed, and used again. */
  readonly #rows: (Uint32Array | undefined)[];
  /** Whether something has grown in each step. */
  readonly #grown: boolean[];
  #next = 0;

  /** @param steps that are remembered @param width counters */
  constructor(steps: number, width: number) {
    this.#last = new Float64Array(width);
    this.#rows = Array.from({ length: steps });
    this.#grown = Array.from({ length: steps }, () => false);
  }

  /** Ends a step. `counters` are not kept. */
  step(counters: Float64Array): void {
    const last = this.#last;
    const at = this.#next;
    let grown = false;
    for (let n = 0; n < last.length && !grown; n++) grown = counters[n]! > last[n]!;
    if (grown) {
      const row = (this.#rows[at] ??= new Uint32Array(last.length));
      for (let n = 0; n < last.length; n++) row[n] = Math.max(0, counters[n]! - last[n]!);
    }
    this.#grown[at] = grown;
    this.#next = (at + 1) % this.#rows.length;
    last.set(counters);
  }

  /** Growth in the last `steps` that have ended, and since. */
  lately(counters: Float64Array, steps: number = this.#rows.length): Float64Array {
    const sums = Float64Array.from(counters, (value, at) => Math.max(0, value - this.#last[at]!));
    for (let back = 1; back <= steps; back++) {
      const row = this.#rowOf(back);
      if (row) for (let at = 0; at < sums.length; at++) sums[at]! += row[at]!;
    }
    return sums;
  }

  /** Growth in the last step that has ended; null for none. */
  get newest(): Uint32Array | null {
    return this.#rowOf(1);
  }

  #rowOf(back: number): Uint32Array | null {
    const at = (this.#next - back + this.#rows.length) % this.#rows.length;
    return this.#grown[at] ? (this.#rows[at] ?? null) : null;
  }
}
