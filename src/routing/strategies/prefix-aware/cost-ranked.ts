import type { Candidate, CostTerms, Ranked } from '../../../core/ranking.js';

/** One place of the ranking by cost. Its words and terms are made when they are asked for: most never are. */
export class CostRanked implements Ranked {
  constructor(
    readonly candidate: Candidate,
    readonly cost: number,
    readonly uncached: number,
    readonly pending: number,
    readonly inFlight: number,
    readonly slowness: number,
    /** Tokens of the whole prompt. */
    readonly promptTokens: number,
    /** The engine would have to load the request's adapter. */
    readonly loads: boolean,
    /** Blocks that its cache is believed to hold, and a number by chance: who is first of equals. */
    readonly held: number,
    readonly lot: number,
  ) {}

  get terms(): CostTerms {
    const { uncached, pending, inFlight, slowness, cost } = this;
    return { uncached, pending, inFlight, slowness, cost };
  }

  get reason(): string {
    const parts = [
      `${whole(this.uncached)} of ${whole(this.promptTokens)} prompt tokens to compute`,
      `${whole(this.pending)} pending`,
      `${whole(this.inFlight)} in flight`,
    ];
    if (this.loads) parts.push('adapter to load');
    if (this.slowness !== 1) parts.push(`${this.slowness.toFixed(2)} times as slow as usual`);
    return parts.join(', ');
  }
}

/** The smaller cost first; of equals fewer in flight, then the emptier cache, then by chance. */
export function byCost(a: CostRanked, b: CostRanked): number {
  if (a.cost !== b.cost) return a.cost - b.cost;
  return a.inFlight - b.inFlight || a.held - b.held || a.lot - b.lot;
}

const whole = (value: number): string => String(Math.round(value));
