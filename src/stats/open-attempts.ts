import type { AttemptEvent } from '../core/attempt-event.js';
import type { RequestFacts } from '../core/request-facts.js';
import type { EngineRecord, ModelRecord } from './engine-record.js';

/** One attempt between `dispatched` and `finished`. */
export interface OpenAttempt {
  readonly attempt: number;
  readonly engineId: string;
  readonly record: EngineRecord;
  readonly model: ModelRecord;
  firstTokenAt: number | null;
  /** Another open attempt of the same request. */
  next: OpenAttempt | null;
}

/** Where a request keeps its open attempts: a table of all would have to be cleaned with every request. */
const OPEN = Symbol('open attempts');

type Requested = RequestFacts & { [OPEN]?: OpenAttempt | null };

/**
 * The attempts that have begun and not ended, kept at the request itself: two requests may have one id, since
 * clients choose it. They go with their request.
 */
export class OpenAttempts {
  /** The open attempt that the event is of. */
  find({ request, engine, attempt }: AttemptEvent): OpenAttempt | undefined {
    let one = (request as Requested)[OPEN] ?? null;
    while (one !== null && (one.attempt !== attempt || one.engineId !== engine.id)) one = one.next;
    return one ?? undefined;
  }

  begin(request: Requested, attempt: OpenAttempt): void {
    attempt.next = request[OPEN] ?? null;
    request[OPEN] = attempt;
  }

  end(request: Requested, ended: OpenAttempt): void {
    if (request[OPEN] === ended) {
      request[OPEN] = ended.next;
      return;
    }
    for (let one = request[OPEN] ?? null; one !== null; one = one.next) {
      if (one.next === ended) one.next = ended.next;
    }
  }
}
