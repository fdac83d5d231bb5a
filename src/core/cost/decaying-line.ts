/** A slope needs this variance of x: below it the points tell of one place alone. */
const LEAST_VARIANCE = 2;

/**
 * Least squares y = a + b x over points of which older ones weigh less: each new point multiplies the weight of all
 * before it by `keep`, so that about the last 1 / (1 - keep) points count. Holds five numbers.
 */
export class DecayingLine {
  #weight = 0;
  #meanX = 0;
  #meanY = 0;
  #varianceX = 0;
  #covariance = 0;
  #points = 0;

  /** @param keep above 0 and below 1 */
  constructor(private readonly keep: number) {}

  /** Points taken in since the begin. */
  get points(): number {
    return this.#points;
  }

  /** y for one more x, never negative; null while the points do not differ enough in x. */
  get slope(): number | null {
    const variance = this.#weight > 0 ? this.#varianceX / this.#weight : 0;
    return variance < LEAST_VARIANCE ? null : Math.max(0, this.#covariance / this.#varianceX);
  }

  /** Takes in a point; one that is no pair of finite numbers is not heard. */
  add(x: number, y: number): void {
    if (!Number.isFinite(x) || !Number.isFinite(y)) return;
    // West's update of weighted means and variances (1979): no difference of large sums.
    const before = this.#weight * this.keep;
    this.#weight = before + 1;
    const [dx, dy] = [x - this.#meanX, y - this.#meanY];
    this.#meanX += dx / this.#weight;
    this.#meanY += dy / this.#weight;
    this.#varianceX = this.#varianceX * this.keep + (dx * dx * before) / this.#weight;
    this.#covariance = this.#covariance * this.keep + (dx * dy * before) / this.#weight;
    this.#points++;
  }
}
