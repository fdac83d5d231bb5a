import type { Candidate, Ranking } from '../../core/ranking.js';
import type { RequestFacts } from '../../core/request-facts.js';
import { shuffled } from '../../core/random-order.js';
import { type RankContext, RoutingStrategy } from '../routing-strategy.js';

/** Every order of the engines is as likely as any other. */
export class RandomStrategy extends RoutingStrategy {
  static readonly strategyName = 'random';

  override rank(_request: RequestFacts, candidates: readonly Candidate[], context: RankContext): Ranking {
    return shuffled(candidates, context.random).map((candidate) => ({ candidate, reason: 'by chance' }));
  }
}
