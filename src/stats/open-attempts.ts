import type { AttemptEvent } from '../core/attempt-event.js';
import type { RequestFacts } from '../core/request-facts.js';
import type { EngineRecord } from './engine-record.js';

/** One attempt between `dispatched` and `finished`. */
export interface OpenAttempt {
  readonly attempt: number;
  readonly engineId: string;
  readonly record: EngineRecord;
  firstTokenAt: number | null;
  /** Another open attempt of the same request. */
  next: OpenAttempt | null;
}

const firstOf = (request: RequestFacts): OpenAttempt | null =>
  (request.openAttempts ?? null) as OpenAttempt | null;

/**
 * The attempts that have begun and not ended, kept at the request itself: two requests may have one id, since
 * clients choose it. They go with their request.
 */
export class OpenAttempts {
  /** The open attempt that the event is of. */
  find({ request, engine, attempt }: AttemptEvent): OpenAttempt | undefined {
    let one = firstOf(request);
    while (one !== null && (one.attempt !== attempt || one.engineId !== engine.id)) one = one.next;
    return one ?? undefined;
  }

  begin(request: RequestFacts, attempt: OpenAttempt): void {
    attempt.next = firstOf(request);
    request.openAttempts = attempt;
  }

  end(request: RequestFacts, ended: OpenAttempt): void {
    if (request.openAttempts === ended) {
      request.openAttempts = ended.next;
      return;
    }
    for (let one = firstOf(request); one !== null; one = one.next) {
      if (one.next === ended) one.next = ended.next;
    }
  }
}
