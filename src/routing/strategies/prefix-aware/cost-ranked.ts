import type { Candidate, CostTerms, Ranked } from '../../../core/ranking.js';

/** One place of the ranking by cost. Its words are made when they are asked for: most never are. */
export class CostRanked implements Ranked {
  constructor(
    readonly candidate: Candidate,
    readonly terms: CostTerms,
    /** Tokens of the whole prompt. */
    readonly promptTokens: number,
    /** The engine would have to load the request's adapter. */
    readonly loads: boolean,
    /** Blocks that its cache is believed to hold, and a number by chance: who is first of equals. */
    readonly held: number,
    readonly lot: number,
  ) {}

  get reason(): string {
    const { uncached, pending, inFlight, slowness } = this.terms;
    const parts = [
      `${whole(uncached)} of ${whole(this.promptTokens)} prompt tokens to compute`,
      `${whole(pending)} pending`,
      `${whole(inFlight)} in flight`,
    ];
    if (this.loads) parts.push('adapter to load');
    if (slowness !== 1) parts.push(`${slowness.toFixed(2)} times as slow as usual`);
    return parts.join(', ');
  }
}

/** The smaller cost first; of equals fewer in flight, then the emptier cache, then by chance. */
export function byCost(a: CostRanked, b: CostRanked): number {
  return (
    a.terms.cost - b.terms.cost || a.terms.inFlight - b.terms.inFlight || a.held - b.held || a.lot - b.lot
  );
}

const whole = (value: number): string => String(Math.round(value));
