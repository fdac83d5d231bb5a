import type { AttemptEvent, AttemptOutcome } from '../core/attempt-event.js';
import { type AttemptCause, endsRequest, isDeadline, takesBudget } from '../core/attempt-failure.js';
import { isComputed } from '../core/cost/prompt-work.js';
import type { Deadlines } from '../core/deadlines.js';
import { explanation } from '../core/decision.js';
import type { Member } from '../core/member-list.js';
import type { Ranked, Ranking } from '../core/ranking.js';
import type { RequestFacts } from '../core/request-facts.js';
import type { DecisionTrace } from '../decisions/decision-trace.js';
import { Attempt } from './attempt.js';
import type { AttemptOwner } from './attempt-owner.js';
import type { ClientAnswer, LeaveListener } from './client-answer.js';
import type { ExchangeServices, InterTokenClock } from './exchange-services.js';
import { FailedAttempts } from './failed-attempts.js';
import { RankingWalk } from './ranking-walk.js';
import type { RequestBody } from './request-body.js';

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
export class Exchange implements AttemptOwner<Attempt>, LeaveListener, Member<Exchange> {
  readonly startedAt = performance.now();
  before: Exchange | null = null;
  after: Exchange | null = null;
  /** The attempt under way, for the watch over silence and time. */
  attempt: Attempt | null = null;

  readonly #failures = new FailedAttempts();
  readonly #walk: RankingWalk;
  #next: Ranked | null;
  #attempts = 0;
  #over = false;
  #moved = false;
  #interToken: InterTokenClock | null = null;

  constructor(
    readonly facts: RequestFacts,
    private readonly outgoing: OutgoingRequest,
    private readonly answer: ClientAnswer,
    ranking: Ranking,
    private readonly services: ExchangeServices,
    private readonly followers: ExchangeFollowers,
    /** Limits that the client has set; null for none. */
    readonly deadlines: Deadlines | null = null,
  ) {
    this.#walk = new RankingWalk(facts, ranking, services);
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

  /** Bytes of the request's body. */
  get bodyBytes(): number {
    return this.outgoing.body.length;
  }

  /**
   * The engine of the attempt makes no progress: what has not begun goes on elsewhere, where it can, else it waits.
   * @param sure the engine is frozen; where it is not, the request may be what holds it up, and moves on only once
   */
  moveOn(now: number, sure: boolean): void {
    const { attempt } = this;
    if (attempt === null || attempt.phase === 'relaying' || (this.#moved && !sure)) return;
    if (this.#walk.next(now, true) === undefined) return;
    this.#moved = true;
    attempt.fail('stalled');
  }

  triesAnother(cause: AttemptCause, answered: boolean): boolean {
    const now = performance.now();
    this.#next = null;
    if (this.answer.left || endsRequest(cause)) return false;
    const costs = takesBudget(cause, answered);
    // The answer of an engine that is going down is none that a client could use.
    const next = this.#walk.next(now, answered && costs);
    if (next === undefined || (costs && !this.#take(cause, now))) return false;
    this.#next = next;
    return true;
  }

  committed(attempt: Attempt): void {
    if (this.services.health.size > 0 || attempt.fault !== null) this.#heed(attempt);
    // From here on it is sent to no other engine.
    this.outgoing.body.release();
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
      usage: attempt.usage,
      pieces: attempt.pieces,
      heldUp: attempt.heldUp,
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
    const moves =
      (outcome === 'failed' || outcome === 'timeout') && !this.answer.started && !this.answer.left;
    if (moves && this.#next !== null) {
      this.services.metrics.retried(cause ?? 'reset');
      this.#dispatch();
      return;
    }
    if (cause !== null && !this.answer.left) {
      const { id, model } = this.facts;
      this.services.failures.write(
        `request ${id} for model ${model} failed: ${this.#failures.told(true)}`,
        at,
      );
    }
    if (moves) this.#giveUp(cause);
    this.#end();
  }

  #dispatch(): void {
    const ranked = this.#next!;
    const { engine } = ranked.candidate;
    this.#walk.take(engine.id);
    this.#attempts++;
    const { client, pathPrefix } = this.services.upstreams.of(engine);
    const { method, target, headers, body } = this.outgoing;
    const kept = this.services.routing.needsAnswer ? this.services.kept.begin() : null;
    const request = { method, path: pathPrefix + target, headers, body: body.pieces };
    const attempt = new Attempt(engine, client, request, this.answer, this, kept);
    this.attempt = attempt;
    this.services.health.sent(engine, attempt.startedAt);
    this.followers.trace?.dispatched(ranked);
    if (this.followers.explains) {
      this.answer.explanation = explanation(ranked, this.#walk.foundIn, this.#attempts);
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

  /** What the answer that goes to the client tells of its engine. Errors that blame the request show that it is there. */
  #heed({ engine, fault, status, startedAt }: Attempt): void {
    const { health } = this.services;
    const now = performance.now();
    const computed = (status ?? 0) < 400 && isComputed(this.facts.path);
    if (fault !== null) health.failed(engine, fault, startedAt, now);
    else health.answered(engine, computed ? 'output' : 'contact', startedAt, now);
  }

  #take(cause: AttemptCause, now: number): boolean {
    const { budget } = this.services;
    return isDeadline(cause) ? budget.takeEarly(now) : budget.take(now);
  }

  #giveUp(cause: AttemptCause | null): void {
    const error = this.#failures.verdict(cause, this.services.settings.current.exposeEngineUrls);
    this.services.metrics.rejected(error.code);
    this.answer.error(error);
  }

  #end(): void {
    this.#over = true;
    this.services.watch.remove(this);
    this.outgoing.body.release();
    if (this.followers.trace !== null) this.services.decisions.end(this.followers.trace, this.facts);
  }
}
