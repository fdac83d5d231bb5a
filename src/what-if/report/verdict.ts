import { type Interval, pairedInterval, pairedRatio } from '../interval.js';
import type { PolicyRow } from './policy-row.js';

/** Goodput that does not count: two requests of a hundred. */
const LEVEL = 0.02;
/** With goodput level, how much longer the mean time to the first token may be. */
const SLOWER = 1.2;

/** How one policy did beside another one under the same arrivals. */
export interface Verdict {
  readonly other: string;
  readonly outcome: 'won' | 'level' | 'lost';
  /** Of goodput, seed by seed. */
  readonly difference: Interval;
  /** Mean time to the first token over the other's, and the bounds of its 95 % interval. */
  readonly ttft: Interval;
}

/**
 * `lost`: the paired 95 % interval of the difference of goodput lies below -.02, or goodput is level and the mean TTFT is
 * above 1.2 times the other's with its whole interval. `won` is the same from the other side.
 *
 * @param own, other of the same seeds in the same order
 */
export function verdictOn(own: PolicyRow, other: PolicyRow): Verdict {
  const goodputs = (row: PolicyRow): number[] => row.runs.map(({ goodput }) => goodput);
  const means = (row: PolicyRow): number[] => row.runs.map(({ ttft }) => ttft.mean);
  const difference = pairedInterval(goodputs(own), goodputs(other));
  const ttft = pairedRatio(means(own), means(other));
  return { other: other.policy, outcome: outcomeOf(difference, ttft), difference, ttft };
}

function outcomeOf({ low, high }: Interval, ttft: Interval): Verdict['outcome'] {
  if (high < -LEVEL) return 'lost';
  if (low > LEVEL) return 'won';
  if (ttft.low > SLOWER) return 'lost';
  return ttft.high < 1 / SLOWER ? 'won' : 'level';
}

/** One line of words for a table of verdicts. */
export function wordsOf({ other, outcome, difference, ttft }: Verdict): string {
  const sign = difference.mean < 0 ? '-' : '+';
  const half = (difference.high - difference.low) / 2;
  const goodput = `${sign}${Math.abs(difference.mean).toFixed(3)} +-${half.toFixed(3)}`;
  const times = `${ttft.mean.toFixed(2)} (${ttft.low.toFixed(2)} to ${ttft.high.toFixed(2)})`;
  return `${outcome} to ${other}: goodput ${goodput}, mean TTFT x ${times}`;
}
