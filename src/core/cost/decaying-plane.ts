/** A slope needs this variance of its variable: below it the points tell of one place alone. */
const LEAST_VARIANCE = 2;
/** Two slopes need this share of each variable's variance that the other does not explain. */
const LEAST_APART = 0.01;

/**
 * Least squares y = a + b x + c z over points of which older ones weigh less: each new point multiplies the weight of
 * all before it by `keep`, so that about the last 1 / (1 - keep) points count. Slopes are never negative, as more work
 * takes no less time. Holds a dozen numbers.
 */
export class DecayingPlane {
  #weight = 0;
  #meanX = 0;
  #meanZ = 0;
  #meanY = 0;
  #varianceX = 0;
  #varianceZ = 0;
  #covarianceXZ = 0;
  #covarianceXY = 0;
  #covarianceZY = 0;
  #points = 0;

  /** @param keep above 0 and below 1 */
  constructor(private readonly keep: number) {}

  /** Points taken in since the begin. */
  get points(): number {
    return this.#points;
  }

  /** Where the points are in the middle. */
  get meanX(): number {
    return this.#meanX;
  }

  get meanZ(): number {
    return this.#meanZ;
  }

  get meanY(): number {
    return this.#meanY;
  }

  /** y for one more x at the same z; null while the points do not differ enough in x. */
  get slopeX(): number | null {
    if (!this.#differ(this.#varianceX)) return null;
    const alone = Math.max(0, this.#covarianceXY / this.#varianceX);
    if (!this.#apart) return alone;
    if (this.#numeratorZ < 0) return alone;
    return Math.max(0, this.#numeratorX / this.#determinant);
  }

  /** y for one more z at the same x; null while the points do not differ enough in z, or only as x does. */
  get slopeZ(): number | null {
    if (!this.#differ(this.#varianceZ)) return null;
    const alone = Math.max(0, this.#covarianceZY / this.#varianceZ);
    if (!this.#differ(this.#varianceX)) return alone;
    if (!this.#apart) return null;
    if (this.#numeratorX < 0) return alone;
    return Math.max(0, this.#numeratorZ / this.#determinant);
  }

  /** Takes in a point; one that is not all finite numbers is not heard. */
  add(x: number, z: number, y: number): void {
    if (!Number.isFinite(x) || !Number.isFinite(z) || !Number.isFinite(y)) return;
    // West's update of weighted means and variances (1979): no difference of large sums.
    const { keep } = this;
    const before = this.#weight * keep;
    this.#weight = before + 1;
    const share = before / this.#weight;
    const dx = x - this.#meanX;
    const dz = z - this.#meanZ;
    const dy = y - this.#meanY;
    this.#meanX += dx / this.#weight;
    this.#meanZ += dz / this.#weight;
    this.#meanY += dy / this.#weight;
    this.#varianceX = this.#varianceX * keep + dx * dx * share;
    this.#varianceZ = this.#varianceZ * keep + dz * dz * share;
    this.#covarianceXZ = this.#covarianceXZ * keep + dx * dz * share;
    this.#covarianceXY = this.#covarianceXY * keep + dx * dy * share;
    this.#covarianceZY = this.#covarianceZY * keep + dz * dy * share;
    this.#points++;
  }

  /** The plane at `x` and `z`, flat where no slope is known. At least a tenth of the mean of y, for positive y. */
  at(x: number, z: number): number {
    const y = this.#meanY + (this.slopeX ?? 0) * (x - this.#meanX) + (this.slopeZ ?? 0) * (z - this.#meanZ);
    return Math.max(y, this.#meanY / 10);
  }

  // Cramer's rule on the normal equations.
  get #determinant(): number {
    return this.#varianceX * this.#varianceZ - this.#covarianceXZ ** 2;
  }

  get #numeratorX(): number {
    return this.#covarianceXY * this.#varianceZ - this.#covarianceZY * this.#covarianceXZ;
  }

  get #numeratorZ(): number {
    return this.#covarianceZY * this.#varianceX - this.#covarianceXY * this.#covarianceXZ;
  }

  /** Whether what x does to y can be told from what z does. */
  get #apart(): boolean {
    if (!this.#differ(this.#varianceX) || !this.#differ(this.#varianceZ)) return false;
    return this.#determinant > LEAST_APART * this.#varianceX * this.#varianceZ;
  }

  #differ(variance: number): boolean {
    return this.#weight > 0 && variance / this.#weight >= LEAST_VARIANCE;
  }
}
