import type { DecisionTrace } from '../decisions/decision-trace.js';
import type { RequestSpan } from '../tracing/request-span.js';
import type { RequestBody } from './request-body.js';

/** What goes to an engine, the same for every attempt. */
export interface OutgoingRequest {
  readonly method: string;
  /** Path and query string as the client sent them. */
  readonly target: string;
  readonly headers: string[];
  readonly body: RequestBody;
}

/** Who is to know how the engine was chosen and what came of it. */
export interface ExchangeFollowers {
  /** Null: nobody. */
  readonly trace: DecisionTrace | null;
  /** The client has asked. */
  readonly explains: boolean;
  /** Null: the request is not traced. */
  readonly span: RequestSpan | null;
}
