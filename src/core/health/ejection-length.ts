/** The length of a first ejection, milliseconds; each further one in a row lasts twice as long. */
export const FIRST_EJECTION = 5_000;
/** The longest ejection, milliseconds. */
export const LONGEST_EJECTION = 60_000;
/** Up to this part of an ejection is left out by chance, so that routers do not return to an engine in step. */
const JITTER = 0.2;

/**
 * How long an ejection lasts, milliseconds.
 * @param before how many ejections came right before it
 * @param chance in [0, 1)
 */
export function ejectionLength(before: number, chance: number): number {
  return Math.min(LONGEST_EJECTION, FIRST_EJECTION * 2 ** before) * (1 - JITTER * chance);
}
