import type { RawHeaders } from '../core/headers.js';

/** What goes to an engine. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query, the engine's path prefix included. */
  readonly path: string;
  /** Name, value, name, value, … without host, connection, content-length and transfer-encoding. */
  readonly headers: RawHeaders;
  /** The bytes in order. Nothing: the request has no body. Small bodies are one piece. */
  readonly body: readonly Buffer[];
}

/** Bytes of an answer's body that came in one read of the engine's connection. */
export interface AnswerPiece {
  /** The bytes of the body alone, at least one. They stay as they are: the client does not write into their memory again. */
  readonly bytes: Buffer;
  /** The last bytes are a blank line, which ends a server-sent event. False where it is cut between two chunks. */
  readonly endsInBlankLine: boolean;
  /**
   * The same bytes in the chunk framing (RFC 9112 section 7.1) in which the engine sent them, without
   * chunk extensions, when they are whole chunks; null when they are not, and for other framings.
   */
  readonly framed: Buffer | null;
}

/** What hears of one exchange with an engine. After `ended` or `failed` nothing more comes. */
export interface AnswerHandler {
  /** The head of the answer; informational ones (1xx) are passed over. */
  head(status: number, statusText: string, headers: string[]): void;
  body(piece: AnswerPiece): void;
  /** The whole answer has come; the connection has gone back or is closed. */
  ended(): void;
  /**
   * @param error carries a code that `causeOfError` knows
   * @param stale the request went over a connection that had served before, and it closed before a byte of
   *   an answer came: the engine may have closed it while the request was on its way
   */
  failed(error: Error, stale: boolean): void;
}

/** One request that is on its way to an engine. */
export interface UpstreamExchange {
  /** There is a connection to the engine, or there was one. */
  readonly connected: boolean;
  /** Reads no more from the engine until `resume`. */
  pause(): void;
  resume(): void;
  /** Closes the connection at once, which makes the engine stop; the handler hears nothing more. */
  close(): void;
}

/**
 * The connections to one engine: a request takes an idle one, the most recently used first, or a new one;
 * there is no queue. Idle ones close after 4 s, before vLLM closes them (5 s, not announced).
 */
export abstract class UpstreamClient {
  /**
   * Sends a request; the handler hears of everything that follows, never before this returns.
   * @param fresh take a new connection even when an idle one is there
   * @throws {UnsendableRequest} when something in the request cannot be put on the wire
   */
  abstract send(request: UpstreamRequest, handler: AnswerHandler, fresh: boolean): UpstreamExchange;

  /** Closes idle connections; those in use close when their exchange ends. */
  abstract close(): void;
}

/** The request itself is at fault: no engine could be sent it. */
export class UnsendableRequest extends Error {
  override readonly name = 'UnsendableRequest';
}
