import type { Candidate, Ranking } from '../../core/ranking.js';
import { rendezvous } from '../../core/rendezvous.js';
import type { RequestFacts } from '../../core/request-facts.js';
import { RoutingStrategy } from '../routing-strategy.js';
import { rankByLoad } from './fewest-in-flight.strategy.js';

/**
 * Keeps each session on one engine: rendezvous hashing of the session over the engines' URLs, which
 * router replicas and restarts share. A request without a session goes where the fewest are in flight.
 */
export class SessionStrategy extends RoutingStrategy {
  static readonly strategyName = 'session';

  override rank({ session }: RequestFacts, candidates: readonly Candidate[]): Ranking {
    if (!session) return rankByLoad(candidates);
    const order = rendezvous(session, candidates, ({ engine }) => engine.url);
    return order.map((candidate, place) => ({
      candidate,
      reason: place === 0 ? 'home of the session' : 'next home of the session',
    }));
  }
}
