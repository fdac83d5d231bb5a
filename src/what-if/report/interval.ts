/** A mean and how far from it the true one lies with 95 % confidence. NaN for the half width of a single value. */
export interface Interval {
  readonly mean: number;
  readonly half: number;
}

/** 97.5 % quantiles of Student's t for 1, 2, … degrees of freedom; above 30 the normal one is near. */
const STUDENT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];
const NORMAL = 1.96;

/** The 95 % interval of the mean of independent values, by Student's t. */
export function intervalOf(values: readonly number[]): Interval {
  const { length } = values;
  const mean = values.reduce((sum, value) => sum + value, 0) / length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (length - 1));
  return { mean, half: ((STUDENT[length - 2] ?? NORMAL) * deviation) / Math.sqrt(length) };
}

/** The interval of the mean of `ours[i] - theirs[i]`: what both have in common, as arrivals, cancels out. */
export function pairedInterval(ours: readonly number[], theirs: readonly number[]): Interval {
  return intervalOf(ours.map((value, index) => value - (theirs[index] as number)));
}

/**
 * How many times `theirs[i]` is in `ours[i]`: geometric mean, and the bounds of its 95 % interval, from paired
 * logarithms.
 */
export function pairedRatio(
  ours: readonly number[],
  theirs: readonly number[],
): { readonly ratio: number; readonly low: number; readonly high: number } {
  const logs = (values: readonly number[]): number[] =>
    values.map((value) => Math.log(Math.max(value, 1e-9)));
  const { mean, half } = pairedInterval(logs(ours), logs(theirs));
  return { ratio: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half) };
}
