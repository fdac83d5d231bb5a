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
}

/**
 * The attempts that have begun and not ended, found by the request itself: two requests may have one id,
 * since clients choose it. Bounded by the requests in flight; a request that is gone takes its own along.
 */
export class OpenAttempts {
  readonly #open = new WeakMap<RequestFacts, readonly OpenAttempt[]>();

  /** The open attempt that the event is of. */
  find({ request, engine, attempt }: AttemptEvent): OpenAttempt | undefined {
    return this.#open.get(request)?.find((one) => one.attempt === attempt && one.engineId === engine.id);
  }

  begin(request: RequestFacts, attempt: OpenAttempt): void {
    const others = this.#open.get(request);
    this.#open.set(request, others ? [...others, attempt] : [attempt]);
  }

  end(request: RequestFacts, ended: OpenAttempt): void {
    const rest = this.#open.get(request)?.filter((one) => one !== ended) ?? [];
    if (rest.length > 0) this.#open.set(request, rest);
    else this.#open.delete(request);
  }
}
