import { performance } from 'node:perf_hooks';
import { TLSSocket } from 'node:tls';
import { isNativeError } from 'node:util/types';
import type { Client } from 'undici';
import { loadUndici } from '../../../upstream/load-undici.js';
import { failureMessage } from '../../../core/kubernetes/api-status.js';
import type { ApiAccess, ApiCredentials } from './api-credentials.js';
import { LinkedAbort } from './linked-abort.js';
import type { ListWatchLimits } from './list-watch-limits.js';

/** The API server answered, and it was not a success. */
export class ApiFailure extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** From `Retry-After`, milliseconds; 0 when absent. */
    readonly retryAfterMs = 0,
  ) {
    super(message);
  }
}

/** How one watch is followed. */
export interface WatchOptions {
  readonly signal: AbortSignal;
  /** Called when the API server has accepted the watch. */
  readonly accepted: () => void;
}

/** The largest page of a list accepted, bytes: 500 objects of 128 KiB. */
const MAX_PAGE_BYTES = 64 * 1024 * 1024;
const MAX_FAILURE_BYTES = 64 * 1024;

/**
 * A way to the API server, for lists and for one watch.
 *
 * The watch goes over HTTP/2 because of two frames. An API server that is told to stop keeps open
 * watches silent for a minute, but says GOAWAY at once. And PING is answered below the API machinery,
 * on the very connection of the watch: a frozen server or a half-open TCP connection is noticed in
 * seconds at no cost for the server, behind a load balancer too, where a probe of its own would meet
 * another server. Lists go over HTTP/1.1: over HTTP/2 the API server says GOAWAY beside a 401, and
 * undici drops the answer with the connection.
 */
export class ApiConnection {
  readonly #lists: Client;
  readonly #watches: Client;
  readonly #basePath: string;
  #http2 = false;
  #heardAt = performance.now();

  private constructor(
    access: ApiAccess,
    private readonly credentials: ApiCredentials,
    private readonly limits: ListWatchLimits,
  ) {
    const server = new URL(access.server);
    this.#basePath = server.pathname === '/' ? '' : server.pathname;
    const { buildConnector, Client } = loadUndici();
    const timeouts = { headersTimeout: 0, bodyTimeout: 0 };
    const secure = { ...access.tls, timeout: limits.connectMs };
    this.#lists = new Client(server.origin, {
      ...timeouts,
      connect: buildConnector({ ...secure, allowH2: false }),
    });
    const connect = buildConnector({ ...secure, allowH2: true });
    this.#watches = new Client(server.origin, {
      ...timeouts,
      allowH2: true,
      pingInterval: limits.pingMs,
      connect: (options, callback) =>
        connect(options, (...result) => {
          const socket = result[1];
          this.#http2 = socket instanceof TLSSocket && socket.alpnProtocol === 'h2';
          callback(...result);
        }),
    });
    // Emitted with each answer to a PING; undici's types leave it out.
    const emitter: NodeJS.EventEmitter = this.#watches;
    emitter.on('ping', () => this.#heard());
  }

  /** @throws {Error} when there are no credentials */
  static async open(credentials: ApiCredentials, limits: ListWatchLimits): Promise<ApiConnection> {
    return new ApiConnection(await credentials.access(), credentials, limits);
  }

  /** One GET, whole. @throws {ApiFailure | Error} */
  async get(path: string, signal: AbortSignal): Promise<unknown> {
    const { answerMs } = this.limits;
    const exchange = new LinkedAbort(signal);
    const timer = setTimeout(() => exchange.abort(silence(answerMs)), answerMs);
    timer.unref();
    try {
      const answer = await this.#request(this.#lists, path, exchange.signal);
      return JSON.parse(await readBounded(answer.body, MAX_PAGE_BYTES));
    } finally {
      clearTimeout(timer);
      exchange.release();
    }
  }

  /**
   * The body of a watch, piece by piece, until the API server ends it, or until it was silent for long
   * on a connection that cannot be pinged.
   * @throws {ApiFailure | Error}
   */
  async *watch(path: string, options: WatchOptions): AsyncGenerator<Buffer> {
    const { answerMs, stallMs, quietMs, pingMs } = this.limits;
    const exchange = new LinkedAbort(options.signal);
    let limit = answerMs;
    let silent = false;
    this.#heard();
    const check = setInterval(() => {
      if (performance.now() - this.#heardAt <= limit) return;
      silent = true;
      exchange.abort(silence(limit));
    }, pingMs / 2);
    check.unref();
    try {
      const answer = await this.#request(this.#watches, path, exchange.signal);
      limit = this.#http2 ? stallMs : quietMs;
      this.#heard();
      options.accepted();
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        this.#heard();
        yield chunk;
      }
    } catch (error) {
      if (limit !== quietMs || !silent) throw error;
    } finally {
      clearInterval(check);
      exchange.release();
    }
  }

  /** Closes it at once, with what is in flight. */
  close(): void {
    for (const client of [this.#lists, this.#watches]) client.destroy().catch(() => undefined);
  }

  async #request(client: Client, path: string, signal: AbortSignal) {
    const { headers } = await this.credentials.access();
    const answer = await client.request({
      path: this.#basePath + path,
      method: 'GET',
      headers: { accept: 'application/json', 'user-agent': 'vllm-router', ...headers },
      signal,
    });
    if (answer.statusCode === 200) return answer;
    if (answer.statusCode === 401) this.credentials.rejected();
    const body = await readBounded(answer.body, MAX_FAILURE_BYTES).catch(() => '');
    const retryAfter = Number(answer.headers['retry-after'] ?? 0);
    throw new ApiFailure(
      answer.statusCode,
      failureMessage(answer.statusCode, body),
      Number.isFinite(retryAfter) ? Math.max(0, retryAfter) * 1000 : 0,
    );
  }

  #heard(): void {
    this.#heardAt = performance.now();
  }
}

function silence(ms: number): Error {
  return new Error(`the API server was silent for ${ms / 1000} s`);
}

async function readBounded(body: AsyncIterable<Buffer>, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new Error(`an answer of the API server is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Why an exchange failed, in a few words; undici keeps the reason in `cause` at times. */
export function reasonOf(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  const inner = isNativeError(error.cause) ? error.cause : error;
  return inner.message === '' ? inner.name : inner.message.slice(0, 400);
}
