/** For how long what was seen counts, seconds. */
const MEMORY = 8;
/** Time that must have been seen before a rate is told, seconds. */
const LEAST_SEEN = 1;

/**
 * How fast the engines of a model get work done when they have enough of it, tokens a second: the rate by which what is
 * held goes away. While the engines could do more than they are given, what they do says little, so that only busy
 * time counts; a higher rate than was believed counts always.
 */
export class DrainRate {
  #work = 0;
  #seconds = 0;
  #done = 0;

  /** Null while nothing is known. */
  get value(): number | null {
    return this.#seconds < LEAST_SEEN || this.#work <= 0 ? null : this.#work / this.#seconds;
  }

  /** Work was done, tokens. */
  add(work: number): void {
    this.#done += work;
  }

  /**
   * A span of time is over.
   * @param seconds its length
   * @param busy there was more to do than the engines were given
   */
  pass(seconds: number, busy: boolean): void {
    const done = this.#done;
    this.#done = 0;
    if (!busy || !(seconds > 0)) return;
    const keep = Math.exp(-seconds / MEMORY);
    this.#work = this.#work * keep + done;
    this.#seconds = this.#seconds * keep + seconds;
  }

  /** The model has so many times the engines that it had. */
  scale(factor: number): void {
    this.#work *= factor;
  }
}
