// The straight line through samples, and how sure its slope is.

/** Student's t for 95 % two-sided, by degrees of freedom; beyond the table the next smaller one, which is stricter. */
const T95 = [
  [1, 12.706],
  [2, 4.303],
  [3, 3.182],
  [4, 2.776],
  [5, 2.571],
  [6, 2.447],
  [7, 2.365],
  [8, 2.306],
  [10, 2.228],
  [12, 2.179],
  [15, 2.131],
  [20, 2.086],
  [30, 2.042],
  [40, 2.021],
  [60, 2.0],
  [120, 1.98],
];

const t95 = (freedom) => T95.findLast(([known]) => known <= freedom)?.[1] ?? Infinity;

/**
 * Least squares of y on x.
 * @param {readonly { x: number, y: number }[]} samples three at least
 * @returns {{ slope: number, low: number, high: number, mean: number }} the slope and its 95 % interval
 */
export function trend(samples) {
  const count = samples.length;
  const mean = (pick) => samples.reduce((sum, sample) => sum + pick(sample), 0) / count;
  const [mx, my] = [mean(({ x }) => x), mean(({ y }) => y)];
  const sxx = samples.reduce((sum, { x }) => sum + (x - mx) ** 2, 0);
  const slope = samples.reduce((sum, { x, y }) => sum + (x - mx) * (y - my), 0) / sxx;
  const rest = samples.reduce((sum, { x, y }) => sum + (y - my - slope * (x - mx)) ** 2, 0);
  const width = t95(count - 2) * Math.sqrt(rest / (count - 2) / sxx);
  return { slope, low: slope - width, high: slope + width, mean: my };
}
