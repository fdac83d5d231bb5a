import type { Engine } from './engine.js';
import type { Ranked } from './ranking.js';
import type { RequestFacts } from './request-facts.js';

/**
 * How an attempt ended. `client_left`: the client went away; `failed`: the engine's fault; `hedged_away`: another attempt
 * of the request began to answer first.
 */
export type AttemptOutcome = 'done' | 'engine_error' | 'failed' | 'timeout' | 'client_left' | 'hedged_away';

/** Token counts as the engine reported them. */
export interface TokenUsage {
  readonly prompt: number;
  readonly completion: number;
  readonly cached: number | null;
}

interface AttemptEventBase {
  readonly request: RequestFacts;
  readonly engine: Engine;
  /** Monotonic milliseconds. */
  readonly at: number;
  /** 1 for a request's first attempt. */
  readonly attempt: number;
}

/**
 * What listeners (statistics, metrics, strategies) hear of one attempt: exactly one
 * `dispatched`, at most one `firstToken`, exactly one `finished`.
 */
export type AttemptEvent =
  | (AttemptEventBase & {
      readonly type: 'dispatched';
      /** The place of the ranking that was taken. */
      readonly ranked?: Ranked;
    })
  | (AttemptEventBase & {
      readonly type: 'firstToken';
      /** Milliseconds since the attempt was dispatched. */
      readonly sinceDispatch: number;
    })
  | (AttemptEventBase & {
      readonly type: 'finished';
      readonly outcome: AttemptOutcome;
      /** HTTP status of the engine's answer; null when there was none. */
      readonly status: number | null;
      /** Milliseconds since the attempt was dispatched. */
      readonly sinceDispatch: number;
      readonly usage: TokenUsage | null;
      /** Pieces of a stream that were relayed, which are tokens where the engine sends one in each; 0 otherwise. */
      readonly pieces?: number;
      /** Its time is not that of its tokens: the client took a part later than it was there, or another engine made a part. */
      readonly heldUp?: boolean;
      /** The generated text, for strategies with `needsAnswer`; null when it was too long or is not known. */
      readonly answer?: string | null;
      /** Why it failed, a short stable word such as `refused`, `reset`, `first_byte_timeout`; null when it did not. */
      readonly cause: string | null;
    });
