/**
 * A whole number from 0 to `count - 1`, each as likely.
 * @param random gives numbers in [0, 1); others count as the nearest of these, and no number as 0
 */
export function drawn(count: number, random: () => number): number {
  const at = Math.floor(random() * count);
  return at > 0 ? Math.min(at, count - 1) : 0;
}

/** A copy in an order by chance, each order as likely (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const order = [...items];
  for (let last = order.length - 1; last > 0; last--) {
    const at = drawn(last + 1, random);
    [order[at], order[last]] = [order[last] as T, order[at] as T];
  }
  return order;
}
