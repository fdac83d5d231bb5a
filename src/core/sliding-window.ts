/** Ring positions of a window; bounds its memory to 1 KiB and its resolution to one part in sixty. */
const STEPS = 60;
// At the half of a step the oldest position is still counted while the newest has begun.
const POSITIONS = STEPS + 1;

/**
 * How many values came, and their sum, over the last `span` milliseconds, without keeping them.
 *
 * A value goes into a bucket of `span / 60`; a bucket is counted until its middle is older than the
 * span. So a value counts for at least `span - span / 120` and at most `span + span / 120` (half a
 * second either way for the default minute), and a steady rate is measured without bias.
 *
 * `add` and the reads take O(1), but for one pass over the ring each time the clock enters another
 * bucket. `now` is monotonic milliseconds; a clock that steps back is held at its latest value, one
 * that is no number is not heard.
 */
export class SlidingWindow {
  readonly #counts = new Uint32Array(POSITIONS);
  readonly #sums = new Float64Array(POSITIONS);
  #step: number;
  /** Bucket numbers since the clock's zero: the newest one written or read, the oldest one counted. */
  #newest = -Infinity;
  #oldest = -Infinity;
  #count = 0;
  #sum = 0;

  /** @throws {RangeError} when `span` is not a positive number of milliseconds */
  constructor(span: number) {
    this.#step = stepOf(span);
  }

  /** Length of the window, milliseconds. */
  get span(): number {
    return this.#step * STEPS;
  }

  /** Takes in one value, which came now. */
  add(now: number, value = 0): void {
    if (!Number.isFinite(now) || !Number.isFinite(value)) return;
    this.#advance(now);
    const at = position(this.#newest);
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sums[at] = (this.#sums[at] ?? 0) + value;
    this.#count++;
    this.#sum += value;
  }

  /** How many values the window holds. */
  count(now: number): number {
    this.#advance(now);
    return this.#count;
  }

  /** The sum of the values that the window holds. */
  sum(now: number): number {
    this.#advance(now);
    return this.#sum;
  }

  /** Values per second over the whole span, also while the window has not existed that long. */
  rate(now: number): number {
    return (this.count(now) * 1000) / this.span;
  }

  /**
   * Changes the span. What was counted stays, as far as the new span reaches back; it is placed as if
   * it had come at the middle of its old bucket.
   * @throws {RangeError} as the constructor
   */
  resize(now: number, span: number): void {
    const step = stepOf(span);
    if (step === this.#step || !Number.isFinite(now)) return;
    this.#advance(now);
    const held: [at: number, count: number, sum: number][] = [];
    for (let bucket = this.#oldest; bucket <= this.#newest && this.#count > 0; bucket++) {
      const at = position(bucket);
      held.push([(bucket + 0.5) * this.#step, this.#counts[at] ?? 0, this.#sums[at] ?? 0]);
    }
    this.#clear();
    this.#step = step;
    this.#newest = this.#oldest = -Infinity;
    this.#advance(now);
    for (const [middle, count, sum] of held) {
      const bucket = Math.min(Math.floor(middle / step), this.#newest);
      if (bucket < this.#oldest) continue;
      const at = position(bucket);
      this.#counts[at] = (this.#counts[at] ?? 0) + count;
      this.#sums[at] = (this.#sums[at] ?? 0) + sum;
    }
    this.#total();
  }

  /** Moves the window's end to `now` and forgets the buckets that fall out at its beginning. */
  #advance(now: number): void {
    const newest = Math.floor(now / this.#step);
    const oldest = Math.floor(now / this.#step + 0.5) - STEPS;
    if (!Number.isFinite(now) || (newest <= this.#newest && oldest <= this.#oldest)) return;
    if (newest - this.#newest >= POSITIONS) {
      this.#clear();
    } else {
      let dropped = 0;
      for (let bucket = this.#oldest; bucket < oldest; bucket++) {
        const at = position(bucket);
        dropped += this.#counts[at] ?? 0;
        this.#counts[at] = this.#sums[at] = 0;
      }
      // Summed anew instead of subtracted from: no rounding error builds up.
      if (dropped > 0) this.#total();
    }
    this.#newest = Math.max(newest, this.#newest);
    this.#oldest = Math.max(oldest, this.#oldest);
  }

  #total(): void {
    this.#count = this.#sum = 0;
    for (let at = 0; at < POSITIONS; at++) {
      this.#count += this.#counts[at] ?? 0;
      this.#sum += this.#sums[at] ?? 0;
    }
  }

  #clear(): void {
    this.#counts.fill(0);
    this.#sums.fill(0);
    this.#count = this.#sum = 0;
  }
}

/** A bucket's place in the ring; bucket numbers are negative when the clock is. */
function position(bucket: number): number {
  return ((bucket % POSITIONS) + POSITIONS) % POSITIONS;
}

function stepOf(span: number): number {
  if (!(span > 0) || !Number.isFinite(span)) throw new RangeError(`a window of ${span} ms is not possible`);
  return span / STEPS;
}
