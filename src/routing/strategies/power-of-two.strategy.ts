import type { Candidate, Ranking } from '../../core/ranking.js';
import type { RequestFacts } from '../../core/request-facts.js';
import { drawn } from '../../core/random-order.js';
import { type RankContext, RoutingStrategy } from '../routing-strategy.js';
import { rankByLoad } from './least-load.strategy.js';

/**
 * Draws two engines and takes the one with fewer requests in flight; the others follow by load. Nearly as even as the
 * fewest of all (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001), and routers that do
 * not know of each other do not all run to the same engine.
 */
export class PowerOfTwoStrategy extends RoutingStrategy {
  static readonly strategyName = 'poweroftwo';

  override readonly ranksBySignals = true;

  override rank(_request: RequestFacts, candidates: readonly Candidate[], context: RankContext): Ranking {
    if (candidates.length < 2) return rankByLoad(candidates);
    const first = drawn(candidates.length, context.random);
    const step = 1 + drawn(candidates.length - 1, context.random);
    const second = (first + step) % candidates.length;
    const two = [candidates[first], candidates[second]].filter((one) => one !== undefined);
    const rest = candidates.filter((one) => !two.includes(one));
    const chosen = rankByLoad(two).map(({ candidate, reason }, place) => ({
      candidate,
      reason: `${place === 0 ? 'the less' : 'the more'} loaded of two drawn, ${reason}`,
    }));
    return [...chosen, ...rankByLoad(rest)];
  }
}
