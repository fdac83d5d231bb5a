/** A mean and where the true one lies with 95 % confidence. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Student's t for 95 %, two-sided, by degrees of freedom from 1 on. From a table of quantiles; behind its end
 * the last one serves, which makes intervals at most 4 % too wide.
 */
const T = [
  ...[
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  ],
  ...[2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042],
];

/** Of the mean of values that are independent: one for each seed. Infinite with one value, NaN with none. */
export function intervalOf(values: readonly number[]): Interval {
  const { length } = values;
  const mean = values.reduce((sum, value) => sum + value, 0) / length;
  if (length < 2) return { mean, low: length === 0 ? NaN : -Infinity, high: length === 0 ? NaN : Infinity };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const t = T[Math.min(length - 1, T.length) - 1] as number;
  const half = t * Math.sqrt(squares / (length - 1) / length);
  return { mean, low: mean - half, high: mean + half };
}

/**
 * Of the mean difference `ours - theirs` where both had the same seeds: what the seeds have in common falls
 * out, so that fewer tell two policies apart.
 *
 * @throws RangeError for unequal numbers of values
 */
export function pairedInterval(ours: readonly number[], theirs: readonly number[]): Interval {
  if (ours.length !== theirs.length) {
    throw new RangeError(`${ours.length} values cannot be paired with ${theirs.length}`);
  }
  return intervalOf(ours.map((value, at) => value - (theirs[at] as number)));
}

/**
 * How many times `theirs` is in `ours`, for values above 0: geometric mean with its 95 % interval, paired as above.
 *
 * @throws RangeError for unequal numbers of values
 */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): Interval {
  const logs = (values: readonly number[]): number[] => values.map((value) => Math.log(value));
  const { mean, low, high } = pairedInterval(logs(ours), logs(theirs));
  return { mean: Math.exp(mean), low: Math.exp(low), high: Math.exp(high) };
}
