import type { DecisionTrace } from '../decisions/decision-trace.js';
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
