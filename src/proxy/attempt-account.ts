import type { AttemptEvent, AttemptOutcome } from '../core/attempt-event.js';
import type { AttemptCause } from '../core/attempt-failure.js';
import { isComputed } from '../core/cost/prompt-work.js';
import type { Ranked } from '../core/ranking.js';
import type { RequestFacts } from '../core/request-facts.js';
import type { Attempt } from './attempt.js';
import type { ExchangeServices } from './exchange-services.js';
import type { ExchangeFollowers } from './outgoing-request.js';

// Tells everybody who listens what happens to the attempts of a request: each event once, in its order.

/** An attempt is about to be started. */
export function accountDispatched(
  { health, listeners }: ExchangeServices,
  { trace }: ExchangeFollowers,
  request: RequestFacts,
  { engine, number, startedAt }: Attempt,
  ranked: Ranked,
): void {
  health.sent(engine, startedAt);
  trace?.dispatched(ranked);
  listeners.observe({ type: 'dispatched', request, engine, at: startedAt, attempt: number, ranked });
}

/** The answer of an attempt goes to the client. */
export function accountCommitted(
  { health, listeners }: ExchangeServices,
  { trace, span }: ExchangeFollowers,
  request: RequestFacts,
  { engine, number, startedAt, streams, fault, status }: Attempt,
): void {
  const at = performance.now();
  // Errors that blame the request show that the engine is there.
  if (fault !== null) health.failed(engine, fault, startedAt, at);
  else if (health.size > 0) {
    const computed = (status ?? 0) < 400 && isComputed(request.path);
    health.answered(engine, computed ? 'output' : 'contact', startedAt, at);
  }
  if (!streams) return;
  trace?.firstToken(at);
  span?.firstToken(number, at);
  listeners.observe({
    type: 'firstToken',
    request,
    engine,
    at,
    attempt: number,
    sinceDispatch: at - startedAt,
  });
}

/** An attempt is over. @param at monotonic milliseconds */
export function accountFinished(
  { health, listeners }: ExchangeServices,
  { trace, span }: ExchangeFollowers,
  request: RequestFacts,
  attempt: Attempt,
  outcome: AttemptOutcome,
  cause: AttemptCause | null,
  at: number,
): void {
  const { engine, startedAt } = attempt;
  const event: AttemptEvent = {
    type: 'finished',
    request,
    engine,
    at,
    attempt: attempt.number,
    outcome,
    status: attempt.status,
    usage: attempt.usage,
    pieces: attempt.pieces,
    heldUp: attempt.heldUp,
    answer: attempt.answerText(outcome),
    cause,
    sinceDispatch: at - startedAt,
  };
  trace?.finished(event);
  span?.finished(event);
  listeners.observe(event);
  if (cause !== null) health.failed(engine, cause, startedAt, at);
  health.ended(engine, startedAt);
}

/** The request is over. */
export function accountOver(
  { decisions }: ExchangeServices,
  { trace, span }: ExchangeFollowers,
  request: RequestFacts,
): void {
  if (trace !== null) decisions.end(trace, request);
  span?.end();
}
