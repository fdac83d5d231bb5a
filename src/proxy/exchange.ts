import type { AttemptOutcome } from '../core/attempt-event.js';
import { type AttemptCause, endsRequest, takesBudget } from '../core/attempt-failure.js';
import type { Deadlines } from '../core/deadlines.js';
import { explanation } from '../core/decision.js';
import { mayHaveReached } from '../core/sole-engine-backoff.js';
import type { Member } from '../core/member-list.js';
import type { Ranked, Ranking } from '../core/ranking.js';
import type { RequestFacts } from '../core/request-facts.js';
import { Attempt } from './attempt.js';
import { accountCommitted, accountDispatched, accountFinished, accountOver } from './attempt-account.js';
import type { AttemptOwner } from './attempt-owner.js';
import type { ClientAnswer, LeaveListener } from './client-answer.js';
import type { ExchangeServices, InterTokenClock } from './exchange-services.js';
import { FailedAttempts } from './failed-attempts.js';
import type { ExchangeFollowers, OutgoingRequest } from './outgoing-request.js';
import { RankingWalk } from './ranking-walk.js';
import type { StreamContinuation } from './stream-continuation.js';

/** One request on its way through the ranked engines; it is over when the client has its answer or is gone. */
export class Exchange implements AttemptOwner<Attempt>, LeaveListener, Member<Exchange> {
  readonly startedAt = performance.now();
  before: Exchange | null = null;
  after: Exchange | null = null;
  /** The attempt under way, for the watch over silence and time. */
  attempt: Attempt | null = null;
  /** A second one beside it, since the first is late; neither has begun to answer. */
  hedge: Attempt | null = null;
  /** What was predicted of the first token, milliseconds; null: nothing. With `--hedge` alone. */
  predicted: number | null = null;
  /** When the only engine is tried again, monotonic milliseconds; 0: that is not waited for. */
  retryAt = 0;

  readonly #failures = new FailedAttempts();
  readonly #walk: RankingWalk;
  #next: Ranked | null;
  #attempts = 0;
  #hedged = false;
  #over = false;
  #moved = false;
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
    /** Limits that the client has set; null for none. */
    readonly deadlines: Deadlines | null = null,
  ) {
    this.#walk = new RankingWalk(facts, ranking, services);
    this.#next = ranking[0] ?? null;
    this.#continuation = services.continuations.begin(facts, outgoing.body, answer, this);
  }

  /** Begins with the first engine of the ranking. */
  start(): void {
    this.services.watch.add(this);
    if (this.services.hedging.on) this.predicted = this.services.hedging.predicted(this.#next!);
    this.#dispatch(this.#next!);
  }

  /** The client has gone, which the sweep over all exchanges sees where no event tells of it. */
  get abandoned(): boolean {
    return this.answer.left;
  }

  /** Ends the exchange because the client has gone. */
  leave(): void {
    if (this.#over) return;
    this.services.metrics.clientLeft();
    this.hedge?.leave();
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
  moveOn(attempt: Attempt, now: number, sure: boolean): void {
    if (attempt.phase === 'relaying' || (this.#moved && !sure)) return;
    if (!this.racing && this.#walk.next(now, 'none') === undefined) return;
    this.#moved = true;
    attempt.fail('stalled');
  }

  get racing(): boolean {
    return this.hedge !== null;
  }

  /** The first token is late: a second engine gets the request too, once, where there is one and the budget allows. */
  startHedge(now: number): void {
    const { budget } = this.services;
    if (this.#hedged || this.racing || !budget.hasEarly(now)) return;
    this.#hedged = true;
    const next = this.#walk.next(now, 'none');
    if (next === undefined || !budget.takeEarly(now)) return;
    this.hedge = this.#sent(next);
    this.hedge.start();
  }

  /** The time to try the only engine again may have come, or the request's own is over. @param late by the watch */
  wait(now: number, late: AttemptCause | null): void {
    if (late === null && now < this.retryAt) return;
    this.retryAt = 0;
    const next = late === null ? this.#walk.again() : undefined;
    if (next === undefined) {
      this.#log(now);
      this.#giveUp(late ?? this.#failures.last);
      this.#end();
      return;
    }
    this.#dispatch(next);
  }

  triesAnother(cause: AttemptCause, answered: boolean): boolean {
    const now = performance.now();
    this.#next = null;
    // The other attempt goes on.
    if (this.racing) return true;
    if (this.answer.left || endsRequest(cause)) return false;
    const costs = takesBudget(cause, answered);
    // That of an engine which goes down is no answer to a client; for better than another one nobody waits.
    const next = this.#walk.next(now, answered && costs && !this.answer.started ? 'fails_at_once' : 'any');
    if (next === undefined) return !answered && this.#waits(cause, now);
    const refused = costs && !this.services.budget.takeFor(cause, now);
    if (refused) this.followers.trace?.retryRefused();
    else this.#next = next;
    return !refused;
  }

  committed(attempt: Attempt): void {
    if (this.hedge !== null) this.#settle(attempt, this.hedge);
    if (this.followers.explains) this.answer.explanation = attempt.explanation;
    accountCommitted(this.services, this.followers, this.facts, attempt);
    // From here on it is sent to no other engine, unless its stream may go on at one.
    if (this.#continuation === null) this.outgoing.body.release();
    if (attempt.streams) this.#interToken = this.services.stats.interToken(attempt.engine, this.facts.model);
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
    const beside = attempt === this.attempt ? this.hedge : this.attempt;
    if (this.hedge !== null) this.services.metrics.unhedged(attempt === this.hedge, outcome);
    this.attempt = beside;
    this.hedge = null;
    this.#continuation?.complete(attempt);
    accountFinished(this.services, this.followers, this.facts, attempt, outcome, cause, at);
    if (cause !== null) this.#failures.add(attempt.engine.url, cause);
    // It goes on, has won, or is told the same in a moment.
    if (beside !== null) return;
    const open = !this.answer.started || this.#continuation?.waiting === true;
    const moves = (outcome === 'failed' || outcome === 'timeout') && open && !this.answer.left;
    if (moves && (this.#next !== null || this.retryAt > 0)) {
      this.services.metrics.retried(cause ?? 'reset');
      if (this.#next !== null) this.#dispatch(this.#next);
      return;
    }
    if (cause !== null && !this.answer.left && !this.#continuation?.completed) this.#log(at);
    if (moves) this.#giveUp(cause);
    this.#end();
  }

  #log(at: number): void {
    this.services.failures.write(this.#failures.line(this.facts), at);
  }

  #dispatch(ranked: Ranked): void {
    this.attempt = this.#sent(ranked);
    this.attempt.start();
  }

  /** Tells of a further attempt, which is to be started. */
  #sent(ranked: Ranked): Attempt {
    const { engine } = ranked.candidate;
    this.#walk.take(engine.id);
    this.#attempts++;
    const { client, pathPrefix } = this.services.upstreams.of(engine);
    const { method, target, body: own } = this.outgoing;
    const going = this.#continuation;
    const body = (going?.body ?? own).pieces;
    // The rest of a text is not what the prompt was answered with.
    const kept = this.services.routing.needsAnswer && !going?.began ? this.services.kept.begin() : null;
    const keyed = this.services.headersFor(engine, this.outgoing.headers);
    const headers = this.followers.span?.dispatched(ranked, this.#attempts, this.#walk, keyed) ?? keyed;
    const request = { method, path: pathPrefix + target, headers, body };
    const attempt = new Attempt(engine, this.#attempts, client, request, going ?? this.answer, this, kept);
    if (this.followers.explains) {
      this.answer.explanation = attempt.explanation = explanation(ranked, this.#walk.foundIn, this.#attempts);
    }
    accountDispatched(this.services, this.followers, this.facts, attempt, ranked);
    return attempt;
  }

  /** One of two attempts has begun to answer: the other is cancelled. */
  #settle(winner: Attempt, hedge: Attempt): void {
    const loser = winner === hedge ? this.attempt! : hedge;
    this.services.metrics.hedged(winner === hedge ? 'won' : 'lost');
    this.attempt = winner;
    this.hedge = null;
    loser.leave('hedged_away');
  }

  /** Whether the engine is tried again after a while, since no other one serves the model. */
  #waits(cause: AttemptCause, now: number): boolean {
    const { engine } = this.attempt!;
    const wait = this.#walk.backoff(engine, cause, Math.random());
    if (wait === null || (mayHaveReached(cause) && !this.services.budget.take(now))) return false;
    this.retryAt = now + wait;
    return true;
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
    accountOver(this.services, this.followers, this.facts);
  }
}
