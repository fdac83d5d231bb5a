import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** How a request ended: `aborted` by its client, `faulted` by a fault, `killed` with the engine. */
export type RequestEnd = 'done' | 'aborted' | 'faulted' | 'killed';

/** What the engine saw of one request; `finished` and the body fields fill in as it goes on. */
export interface SeenRequest {
  readonly method: string;
  /** Path with the query string, as received. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  /** Number of the connection it came on, from 1. */
  readonly connection: number;
  /** Hex SHA-256 of the body, null until it has been read. */
  sha256: string | null;
  bodyLength: number;
  /** The body as UTF-8, when it has been read and is smaller than 64 KiB. */
  body: string | null;
  finished: 'open' | RequestEnd;
  /** Tokens of a stream that have been written; what a slow reader has not got yet waits in the engine. */
  tokensSent: number;
  /** Status of the answer, once its head was sent. */
  status: number | null;
}

/** What is known of a request when its head has come. */
export function seenRequest(request: IncomingMessage, connection: number): SeenRequest {
  return {
    method: request.method ?? '',
    path: request.url ?? '/',
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    connection,
    sha256: null,
    bodyLength: 0,
    body: null,
    finished: 'open',
    tokensSent: 0,
    status: null,
  };
}

/** The last requests, oldest first; bounded by `limit`. */
export class RequestLog {
  private entries: SeenRequest[] = [];
  /** All requests since the start, also those no longer kept. */
  count = 0;

  constructor(private readonly limit: number) {}

  add(request: SeenRequest): void {
    this.count += 1;
    this.entries.push(request);
    // Trimmed in blocks, so that a full log does not move all its entries for each request.
    if (this.entries.length > this.limit * 2) this.entries = this.entries.slice(-this.limit);
  }

  all(): readonly SeenRequest[] {
    return this.entries.slice(-this.limit);
  }
}
