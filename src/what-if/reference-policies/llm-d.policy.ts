import type { AttemptEvent } from '../../core/attempt-event.js';
import type { Engine } from '../../core/engine.js';
import type { EngineStats } from '../../core/prometheus-text.js';
import type { Candidate, Ranking } from '../../core/ranking.js';
import type { RequestFacts } from '../../core/request-facts.js';
import { type RankContext, RoutingStrategy } from '../../routing/routing-strategy.js';
import { KnownPrefixes } from './known-prefixes.js';
import { rankBy } from './rank-by.js';

const WEIGHTS = { queue: 2, cache: 2, prefix: 3 };
/** Blocks of 64 tokens that are kept of each engine by default. */
const BLOCKS = 31_250;

/**
 * llm-d's router with the weights of its chart: 2 for a short queue, 2 for a free cache, 3 for the share of the prompt
 * that is believed cached; of the best by chance. Load is as the last look at the engines' metrics told.
 *
 * Bounds: engines.
 */
export class LlmDPolicy extends RoutingStrategy {
  static readonly strategyName = 'llm-d';
  /** How often it looks at the engines, seconds. */
  static readonly scrapeSeconds = 0.05;
  readonly #known = new KnownPrefixes(BLOCKS);
  readonly #stats = new Map<string, EngineStats>();

  override rank(
    { prompt }: RequestFacts,
    candidates: readonly Candidate[],
    { random }: RankContext,
  ): Ranking {
    const names = prompt?.blocks()?.names ?? new Float64Array(0);
    const queues = candidates.map(({ engine }) => this.#stats.get(engine.id)?.waiting ?? 0);
    const [most, least] = [Math.max(...queues), Math.min(...queues)];
    return rankBy(candidates, random, ({ engine }, index) => {
      const queue = most === least ? 1 : (most - (queues[index] as number)) / (most - least);
      const cache = 1 - (this.#stats.get(engine.id)?.kvCacheUsage ?? 0);
      const prefix = names.length === 0 ? 0 : this.#known.match(engine.id, names) / names.length;
      return -(WEIGHTS.queue * queue + WEIGHTS.cache * cache + WEIGHTS.prefix * prefix);
    });
  }

  override observe({ type, request, engine }: AttemptEvent): void {
    const names = request.prompt?.blocks()?.names;
    if (type === 'dispatched' && names) this.#known.insert(engine.id, names);
  }

  override heedStats({ id }: Engine, stats: EngineStats | null): void {
    if (stats === null) this.#stats.delete(id);
    else this.#stats.set(id, stats);
  }
}
