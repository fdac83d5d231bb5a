/**
 * Counts values by upper bound, as a Prometheus histogram does. `observe` is a short scan and three
 * additions, so that it can be called for each frame of each stream; bounds, names and labels are put
 * into words only when somebody reads.
 *
 * Memory is fixed: one number for each bound. Counts are exact up to 2^53.
 */
export class Histogram {
  readonly bounds: readonly number[];
  readonly #bounds: Float64Array;
  /** Values by bucket, not cumulative; the last one holds what is above all bounds. */
  readonly #counts: Float64Array;
  #sum = 0;

  /** @param bounds upper bounds (a value equal to one belongs to it), ascending, without +Inf */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#bounds = Float64Array.from(bounds);
    this.#counts = new Float64Array(bounds.length + 1);
  }

  /** Takes in one value. What is no finite number is left out; less than 0 counts as 0. */
  observe(value: number): void {
    if (!Number.isFinite(value)) return;
    const positive = value > 0 ? value : 0;
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && positive > (bounds[at] as number)) at++;
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#sum += positive;
  }

  /** What it holds, to be added to another one of the same bounds. */
  get state(): HistogramState {
    return { counts: this.#counts.slice(), sum: this.#sum };
  }

  /** Adds what another one of the same bounds holds. */
  add({ counts, sum }: HistogramState): void {
    for (let at = 0; at < this.#counts.length; at++) this.#counts[at]! += counts[at] ?? 0;
    this.#sum += sum;
  }

  /** Adds its values by bucket to `sums`, from place `from` on. */
  addCountsTo(sums: Float64Array, from: number): void {
    const counts = this.#counts;
    for (let at = 0; at < counts.length; at++) sums[from + at]! += counts[at]!;
  }

  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    return this.cumulative().at(-1) as number;
  }

  /** How many values are at most each bound, and last how many there are: always ascending. */
  cumulative(): Float64Array {
    let total = 0;
    return this.#counts.map((count) => (total += count));
  }
}

/** The contents of a histogram: values by bucket, not cumulative, and their sum. */
export interface HistogramState {
  readonly counts: Float64Array;
  readonly sum: number;
}

/** Bounds of waits and whole requests, seconds; those of the original's latency histogram are among them. */
export const REQUEST_SECONDS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600,
];

/** Bounds of the gaps between two frames of a stream, seconds. */
export const INTER_TOKEN_SECONDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120,
];
