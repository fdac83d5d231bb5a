import {
  type AnswerHandler,
  UpstreamClient,
  type UpstreamExchange,
  type UpstreamRequest,
} from '../upstream-client.js';
import { type ConnectionOwner, type EngineAddress, Http1Connection } from './http1-connection.js';
import { Http1Exchange } from './http1-exchange.js';
import { requestHead } from './request-head.js';

// vLLM closes idle connections after exactly 5 s and does not announce it: a connection that has been idle
// for longer than this is not used again.
const IDLE_MS = 4_000;

/**
 * The connections to one engine that is reached by plain `http:`. Bounded by the requests in flight: idle ones
 * close after 4 s.
 */
export class Http1Client extends UpstreamClient implements ConnectionOwner {
  readonly #address: EngineAddress;
  readonly #hostLine: string;
  readonly #connectTimeoutMs: () => number;
  /** The longest idle one first. */
  readonly #idle: Http1Connection[] = [];
  #sweep: NodeJS.Timeout | null = null;
  #closed = false;

  /**
   * @param origin `http://host[:port]`
   * @param connectTimeoutMs asked for each connection
   */
  constructor(origin: string, connectTimeoutMs: () => number) {
    super();
    const url = new URL(origin);
    if (url.protocol !== 'http:') throw new TypeError(`${origin} is not reached by plain http`);
    this.#address = {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? 80 : Number(url.port),
    };
    this.#hostLine = `Host: ${url.host}\r\n`;
    this.#connectTimeoutMs = connectTimeoutMs;
  }

  override send(request: UpstreamRequest, handler: AnswerHandler, fresh: boolean): UpstreamExchange {
    let length = 0;
    for (const piece of request.body) length += piece.length;
    const head = requestHead(request, this.#hostLine, length);
    const connection =
      (fresh ? null : this.#take()) ?? new Http1Connection(this.#address, this.#connectTimeoutMs(), this);
    const exchange = new Http1Exchange(connection, handler);
    connection.send(exchange, request.method, head, request.body, length);
    return exchange;
  }

  override close(): void {
    this.#closed = true;
    if (this.#sweep !== null) clearTimeout(this.#sweep);
    this.#sweep = null;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  idle(connection: Http1Connection): void {
    if (this.#closed) {
      connection.destroy();
      return;
    }
    connection.idleSince = performance.now();
    this.#idle.push(connection);
    if (this.#sweep === null) this.#sweepIn(IDLE_MS);
  }

  gone(connection: Http1Connection): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  #take(): Http1Connection | null {
    const connection = this.#idle.pop();
    if (connection === undefined) return null;
    if (performance.now() - connection.idleSince < IDLE_MS) return connection;
    // The one that was used last is too old, and so are all others.
    connection.destroy();
    return null;
  }

  /** One timer for all: it wakes when the longest idle connection of now is due, if it is still idle then. */
  #sweepIn(ms: number): void {
    this.#sweep = setTimeout(() => this.#dropOld(), ms).unref();
  }

  #dropOld(): void {
    this.#sweep = null;
    const now = performance.now();
    while (this.#idle.length > 0 && now - this.#idle[0]!.idleSince >= IDLE_MS) this.#idle[0]!.destroy();
    if (this.#idle.length > 0) this.#sweepIn(Math.ceil(this.#idle[0]!.idleSince + IDLE_MS - now));
  }
}
