import type { AttemptEvent, AttemptOutcome } from '../core/attempt-event.js';
import { type AttemptCause, takesBudget } from '../core/attempt-failure.js';
import { isComputed } from '../core/cost/prompt-work.js';
import { explanation } from '../core/decision.js';
import type { Member } from '../core/member-list.js';
import { inOneLine } from '../core/one-line.js';
import type { Ranked, Ranking } from '../core/ranking.js';
import type { RequestFacts } from '../core/request-facts.js';
import type { DecisionTrace } from '../decisions/decision-trace.js';
import { Attempt, type AttemptOwner } from './attempt.js';
import type { ClientAnswer, LeaveListener } from './client-answer.js';
import type { ExchangeServices, InterTokenClock } from './exchange-services.js';
import { FailedAttempts } from './failed-attempts.js';
import type { RequestBody } from './request-body.js';
import type { StreamContinuation } from './stream-continuation.js';

/** What goes to an engine, the same for every attempt. */
export interface OutgoingRequest {
  readonly method: string;
  /** Path and query string as the client sent them. */
  readonly target: string;
  readonly headers: string[];
  readonly body: RequestBody;
}

/** Who is to know how the engine was chosen. */
export interface ExchangeFollowers {
  /** Null: nobody. */
  readonly trace: DecisionTrace | null;
  /** The client has asked. */
  readonly explains: boolean;
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
  readonly #failures = new FailedAttempts();
  #ranking: Ranking;
  #next: Ranked | null;
  /** The ranking that `#next` is of. */
  #nextOf: Ranking;
  #attempts = 0;
  #over = false;
  #interToken: InterTokenClock | null = null;
  /** Null: a stream that breaks off ends there. */
  readonly #continuation: StreamContinuation | null;

  constructor(
    readonly facts: RequestFacts,
    private readonly outgoing: OutgoingRequest,
    private readonly answer: ClientAnswer,
    ranking: Ranking,
    private readonly services: ExchangeServices,
    private readonly followers: ExchangeFollowers,
  ) {
    this.#ranking = this.#nextOf = ranking;
    this.#next = ranking[0] ?? null;
    this.#continuation = services.continuations.begin(facts, outgoing.body, answer, this);
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
    const costs = takesBudget(cause, answered);
    // The answer of an engine that is going down is none that a client could use.
    const next = this.#untried(now, !answered || !costs || this.answer.started);
    if (next === undefined || (costs && !this.services.budget.take(now))) return false;
    this.#next = next;
    return true;
  }

  committed(attempt: Attempt): void {
    if (this.services.health.size > 0 || attempt.fault !== null) this.#heed(attempt);
    // From here on it is sent to no other engine, unless its stream may go on at one.
    if (!this.#continuation?.committed()) this.outgoing.body.release();
    if (!attempt.streams) return;
    this.#interToken = this.services.stats.interToken(attempt.engine, this.facts.model);
    const at = performance.now();
    this.followers.trace?.firstToken(at);
    this.services.listeners.observe({
      type: 'firstToken',
      request: this.facts,
      engine: attempt.engine,
      at,
      attempt: this.#attempts,
      sinceDispatch: at - attempt.startedAt,
    });
  }

  goesOn(cause: AttemptCause): boolean {
    return this.#continuation?.goesOn(cause) ?? false;
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
    const event: AttemptEvent = {
      type: 'finished',
      request: this.facts,
      engine: attempt.engine,
      at,
      attempt: this.#attempts,
      outcome,
      status: attempt.status,
      usage: this.#continuation === null ? attempt.usage : this.#continuation.whole(attempt.usage),
      pieces: attempt.pieces,
      heldUp: attempt.heldUp || this.#continuation?.began === true,
      answer: attempt.answerText(outcome),
      cause,
      sinceDispatch: at - attempt.startedAt,
    };
    this.followers.trace?.finished(event);
    this.services.listeners.observe(event);
    if (cause !== null) {
      this.#failures.add(attempt.engine.url, cause);
      this.services.health.failed(attempt.engine, cause, attempt.startedAt, at);
    }
    this.services.health.ended(attempt.engine, attempt.startedAt);
    const open = !this.answer.started || this.#continuation?.waiting === true;
    const moves = (outcome === 'failed' || outcome === 'timeout') && open && !this.answer.left;
    if (moves && this.#next !== null) {
      this.services.metrics.retried(cause ?? 'reset');
      this.#dispatch();
      return;
    }
    if (cause !== null && !this.answer.left && !this.#continuation?.completed) {
      const { id, model } = this.facts;
      const what = `request ${id} for model ${inOneLine(model)} failed`;
      this.services.failures.write(`${what}: ${this.#failures.told(true)}`, at);
    }
    if (moves) this.#giveUp(cause);
    this.#end();
  }

  #dispatch(): void {
    const ranked = this.#next!;
    const { engine } = ranked.candidate;
    this.#tried.add(engine.id);
    this.#attempts++;
    const { client, pathPrefix } = this.services.upstreams.of(engine);
    const { method, target, body: own } = this.outgoing;
    const going = this.#continuation;
    const body = (going?.body ?? own).pieces;
    // The rest of a text is not what the prompt was answered with.
    const kept = this.services.routing.needsAnswer && !going?.began ? this.services.kept.begin() : null;
    const headers = this.services.headersFor(engine, this.outgoing.headers);
    const request = { method, path: pathPrefix + target, headers, body };
    const attempt = new Attempt(engine, client, request, going ?? this.answer, this, kept);
    this.attempt = attempt;
    this.services.health.sent(engine, attempt.startedAt);
    this.followers.trace?.dispatched(ranked);
    if (this.followers.explains) {
      this.answer.explanation = explanation(ranked, this.#nextOf, this.#attempts);
    }
    this.services.listeners.observe({
      type: 'dispatched',
      request: this.facts,
      engine,
      at: attempt.startedAt,
      attempt: this.#attempts,
      ranked,
    });
    attempt.start();
  }

  /** The best engine to try next; one that is ejected only where the client would get no answer otherwise. */
  #untried(now: number, lastResort: boolean): Ranked | undefined {
    const { routing, candidates } = this.services;
    const left = this.#ranking.filter(
      ({ candidate: { engine } }) => !this.#tried.has(engine.id) && candidates.eligible(engine, now),
    );
    if (left.length > 1 && routing.ranksBySignals) {
      const again = left.map(({ candidate }) => candidate);
      this.#ranking = this.#nextOf = routing.rank(this.facts, again);
      return this.#ranking[0];
    }
    this.#nextOf = left;
    if (left.length > 0 || !lastResort) return left[0];
    const last = candidates.lastResort(this.facts.model, this.#tried);
    this.#nextOf = last.length > 0 ? routing.rank(this.facts, last) : [];
    return this.#nextOf[0];
  }

  /** What the answer that goes to the client tells of its engine. Errors that blame the request show that it is there. */
  #heed({ engine, fault, status, startedAt }: Attempt): void {
    const { health } = this.services;
    const now = performance.now();
    const computed = (status ?? 0) < 400 && isComputed(this.facts.path);
    if (fault !== null) health.failed(engine, fault, startedAt, now);
    else health.answered(engine, computed ? 'output' : 'contact', startedAt, now);
  }

  #giveUp(cause: AttemptCause | null): void {
    if (this.answer.started) return this.#continuation?.giveUp();
    const error = this.#failures.verdict(cause, this.services.settings.current.exposeEngineUrls);
    this.services.metrics.rejected(error.code);
    this.answer.error(error);
  }

  #end(): void {
    this.#over = true;
    this.services.watch.remove(this);
    this.outgoing.body.release();
    this.#continuation?.release();
    if (this.followers.trace !== null) this.services.decisions.end(this.followers.trace, this.facts);
  }
}
