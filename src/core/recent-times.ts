/** Times that are kept; the p99 of fewer than `LEAST` says nothing. */
const KEPT = 512;
const LEAST = 100;
/** The ranks are found anew after so many further times: sorting costs more than hearing. */
const RENEWED = 32;

/** The last 512 times of something, and two of their ranks. 4 KiB. */
export class RecentTimes {
  readonly #times = new Float64Array(KEPT);
  #count = 0;
  #heard = 0;
  #median = 0;
  #p99 = Infinity;

  /** Takes in one time; what is no finite number is left out. */
  add(time: number): void {
    if (!Number.isFinite(time)) return;
    this.#times[this.#heard % KEPT] = time;
    this.#heard++;
    this.#count = Math.min(this.#heard, KEPT);
    if (this.#count >= LEAST && this.#heard % RENEWED === 0) this.#rank();
  }

  /** Half of them are at most this; 0 while few are known. */
  get median(): number {
    return this.#median;
  }

  /** 99 of 100 are at most this; Infinity while few are known. */
  get p99(): number {
    return this.#p99;
  }

  #rank(): void {
    const sorted = this.#times.slice(0, this.#count).sort();
    this.#median = sorted[Math.ceil(0.5 * this.#count) - 1]!;
    this.#p99 = sorted[Math.ceil(0.99 * this.#count) - 1]!;
  }
}

/** How many times later than predicted a first token is before it is called late. */
const LATE = 3;

/**
 * After what time without a first token a second attempt is worth it: when that of hardly any request of the model comes
 * later, and it is also late for what was predicted of this one, so that long prompts are not sent twice for being long.
 * @param predicted by the strategy that chose the engine; null: none, then the median of the model stands for it
 */
export const hedgeAfter = ({ p99, median }: RecentTimes, predicted: number | null): number =>
  Math.max(p99, LATE * (predicted ?? median));
