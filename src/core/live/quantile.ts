/**
 * The value below which the share `q` of what was counted lies, as Prometheus' `histogram_quantile` reckons it: values
 * lie evenly within a bucket, and those above all bounds count as the last bound.
 * @param bounds upper bounds, ascending, without +Inf
 * @param counts by bucket, not cumulative; one more than there are bounds
 * @returns null when nothing was counted
 */
export function quantile(bounds: readonly number[], counts: ArrayLike<number>, q: number): number | null {
  let total = 0;
  for (let at = 0; at < counts.length; at++) total += counts[at]!;
  if (total <= 0) return null;
  const rank = q * total;
  let below = 0;
  for (let at = 0; at < bounds.length; at++) {
    const count = counts[at]!;
    if (below + count >= rank && count > 0) {
      const from = at === 0 ? 0 : bounds[at - 1]!;
      return from + ((bounds[at]! - from) * (rank - below)) / count;
    }
    below += count;
  }
  return bounds.at(-1) ?? null;
}
