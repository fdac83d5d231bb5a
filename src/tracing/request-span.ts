import type { AttemptEvent } from '../core/attempt-event.js';
import type { RouterError } from '../core/errors.js';
import type { RawHeaders } from '../core/headers.js';
import type { Ranked, Ranking } from '../core/ranking.js';
import type { RequestFacts } from '../core/request-facts.js';

/** A request as it was received. Times here and below are monotonic milliseconds. */
export interface ReceivedRequest {
  readonly id: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The path is a route that the router knows. */
  readonly known: boolean;
  readonly headers: RawHeaders;
  readonly scheme: 'http' | 'https';
  /** Of HTTP: `1.1`. */
  readonly version: string;
  /** Bytes of the body. */
  readonly size: number;
  readonly receivedAt: number;
}

/** Knows where an engine stood as it was chosen. */
export interface Places {
  placeOf(taken: Ranked): number;
}

/** What becomes a server span of one request and a client span of each of its attempts. */
export interface RequestSpan {
  /** The gate of its model is asked for the request. */
  gated(at: number): void;
  /** Engines are ranked: it is on its way. */
  routed(facts: RequestFacts, strategy: string, ranking: Ranking, at: number): void;
  /**
   * An attempt is about to be sent.
   * @param from tells its place in the ranking that it was chosen from, from 1
   * @returns the headers with the context that its engine goes on with
   */
  dispatched(taken: Ranked, attempt: number, from: Places, headers: RawHeaders): RawHeaders;
  /** The first output of a stream. */
  firstToken(attempt: number, at: number): void;
  finished(event: AttemptEvent & { readonly type: 'finished' }): void;
  /** The status that the client gets. */
  answered(status: number): void;
  /** What the client gets is an error of the router's own, or ends in one. */
  failed(error: RouterError): void;
  /** Nothing more happens to the request; further calls are ignored. Without an answer its client has left. */
  end(): void;
}
