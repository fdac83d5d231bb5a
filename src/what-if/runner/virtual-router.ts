import type { AttemptOutcome } from '../../core/attempt-event.js';
import type { Engine } from '../../core/engine.js';
import type { EngineStats } from '../../core/prometheus-text.js';
import { completeRanking, type Ranked } from '../../core/ranking.js';
import type { RequestFacts } from '../../core/request-facts.js';
import type { RoutingStrategy } from '../../routing/routing-strategy.js';
import type { VirtualRequest, VirtualResult } from '../../simulator/virtual/virtual-request.js';
import { SIMULATED_MODEL } from './simulated-fleet.js';
import { TokenPrompt } from './token-prompt.js';
import { VirtualCandidate } from './virtual-candidate.js';

/** A request that was sent and has not ended. */
interface Open {
  readonly facts: RequestFacts;
  readonly engine: number;
  readonly sentAt: number;
}

/**
 * One router process in virtual time around a strategy that serves in the real one: it makes the facts of each
 * request, ranks, and tells the strategy of every attempt in the order in which the proxy does. There are no
 * retries: an engine that refuses has failed the request. Times are milliseconds.
 *
 * Bounds: what is open are the requests in flight.
 */
export class VirtualRouter {
  readonly strategy: RoutingStrategy;
  readonly candidates: readonly VirtualCandidate[];
  readonly #random: () => number;
  readonly #open = new Map<VirtualRequest, Open>();

  constructor(strategy: RoutingStrategy, engines: readonly Engine[], random: () => number) {
    this.strategy = strategy;
    this.candidates = engines.map((engine) => new VirtualCandidate(engine));
    this.#random = random;
    strategy.retain?.(engines);
  }

  /** Ranks the engines for a request that arrives now, sends it to the first one, and returns its index. */
  choose(request: VirtualRequest, now: number): number {
    const facts = factsOf(request);
    for (const candidate of this.candidates) candidate.setNow(now);
    const ranking = this.strategy.rank(facts, this.candidates, { now, random: this.#random });
    const ranked = completeRanking(ranking, this.candidates)[0] as Ranked;
    const engine = this.candidates.indexOf(ranked.candidate as VirtualCandidate);
    this.#at(engine).sent(now);
    this.#open.set(request, { facts, engine, sentAt: now });
    this.#observe({ type: 'dispatched', ranked }, facts, engine, now);
    return engine;
  }

  firstToken(request: VirtualRequest, now: number): void {
    const open = this.#open.get(request);
    if (!open) return;
    this.#observe({ type: 'firstToken', sinceDispatch: now - open.sentAt }, open.facts, open.engine, now);
  }

  finished(result: VirtualResult, now: number): void {
    const { request, outcome, tokens, cachedTokens } = result;
    const open = this.#open.get(request);
    if (!open) return;
    this.#open.delete(request);
    this.#at(open.engine).own--;
    const done = outcome === 'finished';
    const end: { outcome: AttemptOutcome; status: number; cause: string | null } = done
      ? { outcome: 'done', status: 200, cause: null }
      : { outcome: 'failed', status: outcome === 'too_long' ? 400 : 503, cause: outcome };
    const usage = {
      prompt: request.spec.promptTokens.length,
      completion: tokens,
      cached: cachedTokens,
    };
    this.#observe(
      {
        ...{ type: 'finished', ...end, sinceDispatch: now - open.sentAt },
        usage: done ? usage : null,
        pieces: tokens,
        answer: done && this.strategy.needsAnswer ? 'x'.repeat(tokens) : null,
      },
      open.facts,
      open.engine,
      now,
    );
  }

  heedStats(stats: readonly EngineStats[], now: number): void {
    this.candidates.forEach((candidate, index) => {
      candidate.stats = stats[index] ?? null;
      this.strategy.heedStats?.(candidate.engine, candidate.stats, now);
    });
  }

  #at(engine: number): VirtualCandidate {
    return this.candidates[engine] as VirtualCandidate;
  }

  #observe(what: EventPart, request: RequestFacts, engine: number, at: number): void {
    this.strategy.observe?.({ ...what, request, engine: this.#at(engine).engine, at, attempt: 1 });
  }
}

type Observed = Parameters<NonNullable<RoutingStrategy['observe']>>[0];
type Part<E> = E extends unknown ? Omit<E, 'request' | 'engine' | 'at' | 'attempt'> : never;
type EventPart = Part<Observed>;

function factsOf({ id, session, spec }: VirtualRequest): RequestFacts {
  return {
    id: `request-${id}`,
    path: '/v1/completions',
    shape: 'completions',
    model: spec.adapter ?? SIMULATED_MODEL,
    stream: true,
    session,
    prompt: new TokenPrompt(spec),
  };
}
