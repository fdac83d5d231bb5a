import type { AttemptEvent } from '../../core/attempt-event.js';
import type { Candidate, Ranking } from '../../core/ranking.js';
import type { RequestFacts } from '../../core/request-facts.js';
import { type RankContext, RoutingStrategy } from '../../routing/routing-strategy.js';
import { KnownPrefixes } from './known-prefixes.js';
import { chunksOf, rankBy } from './rank-by.js';

export interface CacheAwareRules {
  /** Share of the prompt above which a match counts, 0 to 1. */
  readonly threshold: number;
  /** More load than that, in requests and as a factor, and the match does not count. */
  readonly absolute: number;
  readonly relative: number;
  /** What is compared: the fullest engine with the emptiest, or the matching one with the mean. */
  readonly gate: 'fleet' | 'matched';
  /** Where prompts without a match go: to the fewest requests, or to the engine that was sent the least text. */
  readonly unmatched: 'least-load' | 'smallest-tree';
}

/** Blocks of the tree, tokens. */
const BLOCK_TOKENS = 16;
/** 2^26 characters for a model, of four a token, shared by eight engines. */
const CAPACITY = 2 ** 26 / 4 / BLOCK_TOKENS / 8;

/** The rule `cache_aware` of the Rust routers: the best match, unless thresholds of load are passed. */
export abstract class CacheAwarePolicy extends RoutingStrategy {
  override readonly ranksBySignals = true;
  readonly #known = new KnownPrefixes(CAPACITY);
  abstract readonly rules: CacheAwareRules;

  override rank(
    { prompt }: RequestFacts,
    candidates: readonly Candidate[],
    { random }: RankContext,
  ): Ranking {
    const { threshold, unmatched, gate } = this.rules;
    const byLoad = (): Ranking => rankBy(candidates, random, ({ signals }) => signals.inFlight);
    if (gate === 'fleet' && this.#uneven(candidates)) return byLoad();
    const names = chunksOf(prompt, BLOCK_TOKENS);
    const matches = candidates.map(({ engine }) => this.#known.match(engine.id, names));
    const longest = Math.max(...matches);
    if (names.length === 0 || longest / names.length <= threshold) {
      return unmatched === 'least-load'
        ? byLoad()
        : rankBy(candidates, random, ({ engine }) => this.#known.size(engine.id));
    }
    const deepest = names[longest - 1] as number;
    const matching = rankBy(candidates, random, ({ engine, signals }, index) => {
      if (matches[index] !== longest) return 1e12;
      // The tree of the older routers names one engine at each node, the one that came by last.
      return gate === 'matched' ? signals.inFlight : -this.#known.lastUse(engine.id, deepest);
    });
    const chosen = matching[0]?.candidate;
    return gate === 'matched' && chosen && this.#above(chosen, candidates) ? byLoad() : matching;
  }

  override observe({ type, request, engine }: AttemptEvent): void {
    if (type === 'dispatched') this.#known.insert(engine.id, chunksOf(request.prompt, BLOCK_TOKENS));
  }

  #uneven(candidates: readonly Candidate[]): boolean {
    const loads = candidates.map(({ signals }) => signals.inFlight);
    const [most, least] = [Math.max(...loads), Math.min(...loads)];
    return most - least > this.rules.absolute && most > this.rules.relative * least;
  }

  #above({ signals: { inFlight } }: Candidate, candidates: readonly Candidate[]): boolean {
    const mean = candidates.reduce((sum, { signals }) => sum + signals.inFlight, 0) / candidates.length;
    return inFlight > mean * this.rules.relative && inFlight > mean + this.rules.absolute;
  }
}
