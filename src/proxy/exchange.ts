import type { AttemptOutcome } from '../core/attempt-event.js';
import { isTimeout, setsAside, type AttemptCause } from '../core/attempt-failure.js';
import { engineTimeout, engineUnreachable, shuttingDown, type RouterError } from '../core/errors.js';
import type { Member } from '../core/member-list.js';
import type { Ranked, Ranking } from '../core/ranking.js';
import type { RequestFacts } from '../core/request-facts.js';
import { Attempt, type AttemptOwner } from './attempt.js';
import type { ClientAnswer, LeaveListener } from './client-answer.js';
import type { ExchangeServices, InterTokenClock } from './exchange-services.js';
import type { RequestBody } from './request-body.js';

/** What goes to an engine, the same for every attempt. */
export interface OutgoingRequest {
  readonly method: string;
  /** Path and query string as the client sent them. */
  readonly target: string;
  readonly headers: string[];
  readonly body: RequestBody;
}

interface Failure {
  readonly engineUrl: string;
  readonly cause: AttemptCause;
}

/**
 * One request on its way: tries the ranked engines until one answers, and accounts for each attempt.
 * It is over when the client has its answer or is gone.
 */
export class Exchange implements AttemptOwner, LeaveListener, Member<Exchange> {
  readonly startedAt = performance.now();
  before: Exchange | null = null;
  after: Exchange | null = null;
  /** The attempt under way, for the watch over silence and time. */
  attempt: Attempt | null = null;

  readonly #tried = new Set<string>();
  readonly #failures: Failure[] = [];
  #ranking: Ranking;
  #next: Ranked | null;
  #attempts = 0;
  #over = false;
  #interToken: InterTokenClock | null = null;

  constructor(
    readonly facts: RequestFacts,
    private readonly outgoing: OutgoingRequest,
    private readonly answer: ClientAnswer,
    ranking: Ranking,
    private readonly services: ExchangeServices,
  ) {
    this.#ranking = ranking;
    this.#next = ranking[0] ?? null;
  }

  /** Begins with the first engine of the ranking. */
  start(): void {
    this.services.watch.add(this);
    this.#dispatch();
  }

  /** The client has gone, which the sweep over all exchanges sees where no event tells of it. */
  get abandoned(): boolean {
    return this.answer.left;
  }

  /** Ends the exchange because the client has gone. */
  leave(): void {
    if (this.#over) return;
    this.services.metrics.clientLeft();
    if (this.attempt === null) this.#end();
    else this.attempt.leave();
  }

  triesAnother(cause: AttemptCause, answered: boolean): boolean {
    const now = performance.now();
    this.#next = null;
    if (this.answer.left || cause === 'total_timeout' || cause === 'shutdown') return false;
    // Without an answer, or from an engine that is going down, the engines that are left are limit enough.
    // Otherwise the fleet may be sick, and retries must not multiply its load.
    const free = !isTimeout(cause) && (!answered || setsAside(cause));
    const next = this.#untried(now, answered);
    if (next === undefined || (!free && !this.services.budget.take(now))) return false;
    this.#next = next;
    return true;
  }

  committed(attempt: Attempt): void {
    this.services.setAside.clear(attempt.engine, attempt.startedAt);
    // From here on it is sent to no other engine.
    this.outgoing.body.release();
    if (!attempt.streams) return;
    this.#interToken = this.services.stats.interToken(attempt.engine, this.facts.model);
    const at = performance.now();
    this.services.listeners.observe({
      type: 'firstToken',
      request: this.facts,
      engine: attempt.engine,
      at,
      attempt: this.#attempts,
      sinceDispatch: at - attempt.startedAt,
    });
  }

  interToken(seconds: number): void {
    this.#interToken?.observe(seconds);
  }

  resent(): void {
    this.services.metrics.staleResend();
  }

  finished(attempt: Attempt, outcome: AttemptOutcome, cause: AttemptCause | null): void {
    const at = performance.now();
    this.attempt = null;
    this.services.listeners.observe({
      type: 'finished',
      request: this.facts,
      engine: attempt.engine,
      at,
      attempt: this.#attempts,
      outcome,
      status: attempt.status,
      usage: attempt.usage,
      cause,
      sinceDispatch: at - attempt.startedAt,
    });
    if (cause !== null) {
      this.#failures.push({ engineUrl: attempt.engine.url, cause });
      if (setsAside(cause)) this.services.setAside.add(attempt.engine, cause, at);
    }
    const moves =
      (outcome === 'failed' || outcome === 'timeout') && !this.answer.started && !this.answer.left;
    if (moves && this.#next !== null) {
      this.services.metrics.retried(cause ?? 'reset');
      this.#dispatch();
      return;
    }
    if (cause !== null && !this.answer.left) {
      const { id, model } = this.facts;
      this.services.failures.write(`request ${id} for model ${model} failed: ${this.#told(true)}`, at);
    }
    if (moves) this.#giveUp(cause);
    this.#end();
  }

  #dispatch(): void {
    const engine = this.#next!.candidate.engine;
    this.#tried.add(engine.id);
    this.#attempts++;
    const { client, pathPrefix } = this.services.upstreams.of(engine);
    const { method, target, headers, body } = this.outgoing;
    const request = { method, path: pathPrefix + target, headers, body: body.pieces };
    const attempt = new Attempt(engine, client, request, this.answer, this);
    this.attempt = attempt;
    this.services.listeners.observe({
      type: 'dispatched',
      request: this.facts,
      engine,
      at: attempt.startedAt,
      attempt: this.#attempts,
    });
    attempt.start();
  }

  /** The best engine to try next; one that is set aside only where the client would get no answer otherwise. */
  #untried(now: number, answered: boolean): Ranked | undefined {
    const { routing, candidates } = this.services;
    const left = this.#ranking.filter(
      ({ candidate: { engine } }) => !this.#tried.has(engine.id) && candidates.eligible(engine, now),
    );
    if (left.length > 1 && routing.ranksBySignals) {
      this.#ranking = routing.rank(
        this.facts,
        left.map(({ candidate }) => candidate),
      );
      return this.#ranking[0];
    }
    if (left.length > 0 || answered) return left[0];
    const last = candidates.lastResort(this.facts.model, this.#tried);
    return last.length > 0 ? routing.rank(this.facts, last)[0] : undefined;
  }

  #giveUp(cause: AttemptCause | null): void {
    const error = this.#verdict(cause);
    this.services.metrics.rejected(error.code);
    this.answer.error(error);
  }

  #verdict(cause: AttemptCause | null): RouterError {
    if (cause === 'shutdown') return shuttingDown();
    const told = this.#told(this.services.settings.current.exposeEngineUrls);
    return cause !== null && isTimeout(cause) ? engineTimeout(told) : engineUnreachable(told);
  }

  /** What happened at each engine, in order. */
  #told(urls: boolean): string {
    return this.#failures
      .map(({ engineUrl, cause }, i) => `attempt ${i + 1}${urls ? ` (${engineUrl})` : ''}: ${cause}`)
      .join('; ');
  }

  #end(): void {
    this.#over = true;
    this.services.watch.remove(this);
    this.outgoing.body.release();
  }
}
