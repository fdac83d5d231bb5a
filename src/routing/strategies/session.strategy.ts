import type { Settings } from '../../config/settings.schema.js';
import type { Candidate, Ranked, Ranking } from '../../core/ranking.js';
import { rendezvous } from '../../core/rendezvous.js';
import type { RequestFacts } from '../../core/request-facts.js';
import { RoutingStrategy } from '../routing-strategy.js';
import { rankByLoad } from './least-load.strategy.js';

/**
 * Keeps each session on one engine: rendezvous hashing of the session over the engines' URLs, which
 * router replicas and restarts share. A request without a session goes where the fewest are in flight.
 *
 * With a load factor c, an engine that would have more than c times the mean of requests in flight is passed over for
 * the session's next one (bounded loads, Mirrokni, Thorup and Zadimoghaddam 2018). Without one a session never moves.
 */
export class SessionStrategy extends RoutingStrategy {
  static readonly strategyName = 'session';
  static readonly reads = ['sessionLoadFactor'] as const;

  readonly #factor: number;

  constructor({ sessionLoadFactor }: Pick<Settings, 'sessionLoadFactor'>) {
    super();
    this.#factor = sessionLoadFactor;
  }

  override rank({ session }: RequestFacts, candidates: readonly Candidate[]): Ranking {
    if (!session) return rankByLoad(candidates);
    const order = rendezvous(session, candidates, ({ engine }) => engine.url);
    const homes = order.map((candidate, place) => ({
      candidate,
      reason: place === 0 ? 'home of the session' : 'next home of the session',
    }));
    return this.#factor > 0 ? this.#withinBound(homes) : homes;
  }

  /** Those within the bound first, each part in the session's order. */
  #withinBound(homes: readonly Ranked[]): Ranking {
    // Signals are live: each is read once.
    const loads = homes.map(({ candidate: { signals } }) =>
      signals.inFlight >= 0 ? Math.min(signals.inFlight, Number.MAX_SAFE_INTEGER) : 0,
    );
    let all = 1;
    for (const load of loads) all += load;
    const bound = Math.ceil((this.#factor * all) / homes.length);
    const [within, over]: [Ranked[], Ranked[]] = [[], []];
    for (const [place, home] of homes.entries()) {
      const load = loads[place] ?? 0;
      if (load + 1 <= bound) within.push(home);
      else over.push({ ...home, reason: `${home.reason}, passed over: ${load} in flight, bound ${bound}` });
    }
    return [...within, ...over];
  }
}
