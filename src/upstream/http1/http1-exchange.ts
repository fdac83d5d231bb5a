import type { AnswerSink } from '../../core/http1/answer-reader.js';
import type { AnswerHandler, AnswerPiece, UpstreamExchange } from '../upstream-client.js';
import type { Http1Connection } from './http1-connection.js';

/**
 * One request on a connection. It outlives its connection's part in it: what its owner says afterwards does
 * not reach the request that the connection carries then.
 */
export class Http1Exchange implements UpstreamExchange, AnswerSink {
  #connection: Http1Connection | null;
  readonly #handler: AnswerHandler;

  constructor(connection: Http1Connection, handler: AnswerHandler) {
    this.#connection = connection;
    this.#handler = handler;
  }

  get connected(): boolean {
    return this.#connection?.connected ?? true;
  }

  /** What has been read until now still comes: at most the rest of one read. */
  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }

  close(): void {
    const connection = this.#connection;
    this.#connection = null;
    connection?.abandon();
  }

  head(status: number, statusText: string, headers: string[]): boolean {
    this.#handler.head(status, statusText, headers);
    return this.#connection !== null;
  }

  body(piece: AnswerPiece): boolean {
    this.#handler.body(piece);
    return this.#connection !== null;
  }

  /** The answer is whole and the connection has been let go of. */
  ended(): void {
    this.#connection = null;
    this.#handler.ended();
  }

  failed(error: Error, stale: boolean): void {
    this.#connection = null;
    this.#handler.failed(error, stale);
  }
}
