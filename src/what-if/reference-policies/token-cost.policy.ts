import type { AttemptEvent } from '../../core/attempt-event.js';
import type { Engine } from '../../core/engine.js';
import type { EngineStats } from '../../core/prometheus-text.js';
import type { Candidate, Ranking } from '../../core/ranking.js';
import type { RequestFacts } from '../../core/request-facts.js';
import { type RankContext, RoutingStrategy } from '../../routing/routing-strategy.js';
import { KnownPrefixes } from './known-prefixes.js';
import { rankBy } from './rank-by.js';

/** What a rule of this family goes by, for one engine. All but `inFlight` in tokens. */
export interface TokenLoad {
  /** Prompt tokens of the request that are not believed cached. */
  readonly uncached: number;
  /** Uncached prompt tokens that were sent and have not brought their first token. */
  readonly pending: number;
  readonly inFlight: number;
  /** Prompt tokens of all requests in flight. */
  readonly context: number;
}

interface Account {
  pending: number;
  context: number;
}

/** Blocks of one engine until its metrics have told how many it has. */
const UNTOLD_BLOCKS = 31_250;

/**
 * The rules that add up tokens: own accounting of what is under way, and a map of what each engine has been sent,
 * as large as the engine's cache. They differ in how they make one number of it.
 *
 * Bounds: engines and requests in flight.
 */
export abstract class TokenCostPolicy extends RoutingStrategy {
  override readonly ranksBySignals = true;
  override readonly needsAnswer = true;
  readonly #known = new KnownPrefixes(UNTOLD_BLOCKS);
  readonly #accounts = new Map<string, Account>();
  /** Uncached tokens of requests before their first token. */
  readonly #waiting = new Map<RequestFacts, number>();

  /** The engine with the least is taken. */
  abstract cost(load: TokenLoad): number;

  override rank(request: RequestFacts, candidates: readonly Candidate[], { random }: RankContext): Ranking {
    return rankBy(candidates, random, ({ engine, signals }) => {
      const { pending, context } = this.#account(engine);
      const uncached = this.#uncached(request, engine);
      return this.cost({ uncached, pending, context, inFlight: signals.inFlight });
    });
  }

  override observe(event: AttemptEvent): void {
    const { request, engine } = event;
    const account = this.#account(engine);
    const blocks = request.prompt?.blocks() ?? null;
    if (event.type === 'dispatched') {
      const uncached = this.#uncached(request, engine);
      account.pending += uncached;
      account.context += blocks?.size ?? 0;
      this.#waiting.set(request, uncached);
      if (blocks) this.#known.insert(engine.id, blocks.names);
      return;
    }
    account.pending -= this.#waiting.get(request) ?? 0;
    this.#waiting.delete(request);
    if (event.type === 'firstToken') return;
    account.context -= blocks?.size ?? 0;
    const whole = typeof event.answer === 'string' ? request.prompt?.withAnswer(event.answer) : null;
    if (whole) this.#known.insert(engine.id, whole.names);
  }

  override heedStats(_engine: Engine, stats: EngineStats | null): void {
    const { blockSize, numGpuBlocks } = stats ?? {};
    if (blockSize && numGpuBlocks) this.#known.capacity = Math.floor((blockSize * numGpuBlocks) / 64);
  }

  #account({ id }: Engine): Account {
    let account = this.#accounts.get(id);
    if (account === undefined) this.#accounts.set(id, (account = { pending: 0, context: 0 }));
    return account;
  }

  #uncached(request: RequestFacts, { id }: Engine): number {
    const blocks = request.prompt?.blocks();
    if (!blocks) return 0;
    return Math.max(1, blocks.size - this.#known.match(id, blocks.names) * blocks.blockSize);
  }
}
