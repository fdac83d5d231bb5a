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

/**
 * The attempts that have begun and not ended, found by the request itself: two requests may have one id,
 * since clients choose it. Bounded by the requests in flight, each of which ends in exactly one `finished`.
 */
export class OpenAttempts {
  readonly #open = new Map<RequestFacts, OpenAttempt>();

  /** The open attempt that the event is of. */
  find({ request, engine, attempt }: AttemptEvent): OpenAttempt | undefined {
    let one = this.#open.get(request) ?? null;
    while (one !== null && (one.attempt !== attempt || one.engineId !== engine.id)) one = one.next;
    return one ?? undefined;
  }

  begin(request: RequestFacts, attempt: OpenAttempt): void {
    attempt.next = this.#open.get(request) ?? null;
    this.#open.set(request, attempt);
  }

  end(request: RequestFacts, ended: OpenAttempt): void {
    const first = this.#open.get(request);
    if (first === ended) {
      if (ended.next === null) this.#open.delete(request);
      else this.#open.set(request, ended.next);
      return;
    }
    for (let one = first ?? null; one !== null; one = one.next) {
      if (one.next === ended) one.next = ended.next;
    }
  }
}
