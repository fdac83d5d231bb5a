import type { Candidate, CostTerms, Ranked } from '../../../core/ranking.js';

/** One place of the ranking by cost. Its words and terms are made when they are asked for: most never are. */
export class CostRanked implements Ranked {
  constructor(
    readonly candidate: Candidate,
    /** With what failing there is likely to cost, see `addFailures`. */
    public cost: number,
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
    /** Failures for one answer lately. */
    readonly failing = 0,
    /** Prompt tokens that the engine computes in a second; null: not known. */
    readonly prefillRate: number | null = null,
  ) {}

  get terms(): CostTerms {
    const { uncached, pending, inFlight, slowness, cost, prefillRate } = this;
    const terms = { uncached, pending, inFlight, slowness, cost };
    // An engine's own rate tells of its slowness already.
    return prefillRate === null ? terms : { ...terms, ttft: (pending + uncached) / prefillRate };
  }

  get reason(): string {
    const parts = [
      `${whole(this.uncached)} of ${whole(this.promptTokens)} prompt tokens to compute`,
      `${whole(this.pending)} pending`,
      `${whole(this.inFlight)} in flight`,
    ];
    if (this.loads) parts.push('adapter to load');
    if (this.slowness !== 1) parts.push(`${this.slowness.toFixed(2)} times as slow as usual`);
    if (this.failing > 0) parts.push('failed lately');
    return parts.join(', ');
  }
}

/**
 * A request that fails goes elsewhere after all: so many times as there are failures for one answer, it costs what the
 * best of the engines that do not fail costs.
 */
export function addFailures(ranking: readonly CostRanked[]): void {
  let [sound, any] = [Infinity, Infinity];
  for (const { cost, failing } of ranking) {
    any = Math.min(any, cost);
    if (failing === 0) sound = Math.min(sound, cost);
  }
  const elsewhere = sound < Infinity ? sound : any;
  if (elsewhere < Infinity) for (const one of ranking) one.cost += one.failing * elsewhere;
}

/** Up to so many places, inserting each takes half the time of the built-in sort, whose calls are not inlined. */
const FEW = 128;

/** Puts the places in order: the smaller cost first; of equals fewer in flight, then the emptier cache, then by chance. */
export function sortByCost(ranking: CostRanked[]): CostRanked[] {
  if (ranking.length > FEW) return ranking.sort(byCost);
  for (let next = 1; next < ranking.length; next++) {
    const one = ranking[next] as CostRanked;
    let low = 0;
    for (let high = next; low < high;) {
      const middle = (low + high) >>> 1;
      if (byCost(one, ranking[middle] as CostRanked) < 0) high = middle;
      else low = middle + 1;
    }
    for (let at = next; at > low; at--) ranking[at] = ranking[at - 1] as CostRanked;
    ranking[low] = one;
  }
  return ranking;
}

function byCost(a: CostRanked, b: CostRanked): number {
  if (a.cost !== b.cost) return a.cost - b.cost;
  return a.inFlight - b.inFlight || a.held - b.held || a.lot - b.lot;
}

const whole = (value: number): string => String(Math.round(value));
