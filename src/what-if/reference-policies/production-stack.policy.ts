import type { AttemptEvent } from '../../core/attempt-event.js';
import type { Candidate, Ranking } from '../../core/ranking.js';
import type { RequestFacts } from '../../core/request-facts.js';
import { type RankContext, RoutingStrategy } from '../../routing/routing-strategy.js';
import { KnownPrefixes } from './known-prefixes.js';
import { chunksOf, rankBy } from './rank-by.js';

/** 128 characters of text. */
const CHUNK_TOKENS = 32;

/**
 * `prefixaware` of vLLM's production-stack: by chance one of the engines that were sent the longest beginning of the
 * prompt. Load does not count, and nothing is forgotten.
 *
 * Bounds: none but the length of the simulation, as the original.
 */
export class ProductionStackPolicy extends RoutingStrategy {
  static readonly strategyName = 'production-stack';
  readonly #known = new KnownPrefixes(Infinity);

  override rank(
    { prompt }: RequestFacts,
    candidates: readonly Candidate[],
    { random }: RankContext,
  ): Ranking {
    const names = chunksOf(prompt, CHUNK_TOKENS);
    return rankBy(candidates, random, ({ engine }) => -this.#known.match(engine.id, names));
  }

  override observe({ type, request, engine }: AttemptEvent): void {
    if (type === 'dispatched') this.#known.insert(engine.id, chunksOf(request.prompt, CHUNK_TOKENS));
  }
}
