import { EventEmitter, once } from 'node:events';
import { RequestLog, type SeenRequest } from './seen-request.js';

/**
 * What `once` waits for: the body of a request has been read, it has ended, its client left, none is left; the engine
 * has died of a fault.
 */
export type EngineEvent = 'request' | 'finished' | 'aborted' | 'idle' | 'died';

/** Keeps account of the requests that an engine has seen. */
export class EngineLedger {
  readonly requests: RequestLog;
  readonly probes: RequestLog;
  readonly #events = new EventEmitter().setMaxListeners(0);
  /** Client requests between their head and the end of their answer. */
  inFlight = 0;
  /** Client requests whose client left before the end of the answer. */
  aborted = 0;

  /** @param remember how many requests, and how many probes, are kept */
  constructor(remember: number) {
    this.requests = new RequestLog(remember);
    this.probes = new RequestLog(remember);
  }

  begin(seen: SeenRequest, probe: boolean): void {
    (probe ? this.probes : this.requests).add(seen);
    if (!probe) this.inFlight += 1;
  }

  tell(event: EngineEvent, seen: SeenRequest | null): void {
    this.#events.emit(event, seen);
  }

  end(seen: SeenRequest, probe: boolean): void {
    if (probe) return;
    this.inFlight -= 1;
    if (seen.finished === 'aborted') {
      this.aborted += 1;
      this.tell('aborted', seen);
    }
    this.tell('finished', seen);
    if (this.inFlight === 0) this.tell('idle', null);
  }

  /** Resolves with the request of the next event of this kind; with null for `idle` and `died`. */
  async once(event: EngineEvent): Promise<SeenRequest | null> {
    const [request] = (await once(this.#events, event)) as [SeenRequest | null];
    return request;
  }
}
