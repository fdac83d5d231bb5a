import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { causeOfError } from '../core/attempt-failure.js';
import { endsInBlankLine } from '../core/sse-frames.js';
import type { EngineTls } from '../security/engine-access.js';
import { UndiciConnection } from './undici-connection.js';
import {
  type AnswerHandler,
  type AnswerPiece,
  UnsendableRequest,
  UpstreamClient,
  type UpstreamExchange,
  type UpstreamRequest,
} from './upstream-client.js';

/** Bytes of a large body that are written at once. */
const WRITE_SIZE = 128 * 1024;
/** What undici says of a request that cannot be put on the wire. */
const UNSENDABLE = new Set<unknown>(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED']);

/** The client for engines behind TLS, and the one that the own client is compared with. */
export class UndiciClient extends UpstreamClient {
  /** Bounded by the requests in flight: idle ones close after 4 s. */
  readonly #idle: UndiciConnection[] = [];
  #closed = false;

  constructor(
    private readonly origin: string,
    private readonly connectTimeoutMs: () => number,
    private readonly tls: () => EngineTls | null = () => null,
  ) {
    super();
  }

  override send(request: UpstreamRequest, handler: AnswerHandler, fresh: boolean): UpstreamExchange {
    const idle = fresh ? undefined : this.#idle.pop();
    const connection =
      idle ??
      new UndiciConnection(this.origin, this.connectTimeoutMs(), this.tls(), (gone) => this.#forget(gone));
    const exchange = new UndiciExchange(connection, handler, (whole) => this.#release(whole));
    exchange.begin(request);
    return exchange;
  }

  override close(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  #release(connection: UndiciConnection): void {
    connection.served();
    if (this.#closed) connection.destroy();
    else this.#idle.push(connection);
  }

  #forget(connection: UndiciConnection): void {
    const at = this.#idle.indexOf(connection);
    if (at < 0) return;
    this.#idle.splice(at, 1);
    connection.destroy();
  }
}

/** One request over undici: turns its handler's calls into those of the contract. */
class UndiciExchange implements UpstreamExchange, Dispatcher.DispatchHandler {
  #controller: Dispatcher.DispatchController | null = null;
  readonly #bytesBefore: number;
  #answering = false;
  #over = false;
  /** An error that undici raises while it takes the request. */
  #refused: Error | null = null;
  #begun = false;

  constructor(
    private readonly connection: UndiciConnection,
    private readonly handler: AnswerHandler,
    private readonly release: (connection: UndiciConnection) => void,
  ) {
    this.#bytesBefore = connection.bytesRead;
  }

  begin({ method, path, headers, body }: UpstreamRequest): void {
    const given = body.length === 0 ? headers : [...headers, 'content-length', String(lengthOf(body))];
    this.connection.dispatch({ method, path, headers: given as string[], body: payload(body) }, this);
    this.#begun = true;
    if (this.#refused !== null) throw new UnsendableRequest(this.#refused.message);
  }

  /** undici gives a request its controller when it writes it to a connection. */
  get connected(): boolean {
    return this.#controller !== null;
  }

  pause(): void {
    if (!this.#over) this.connection.pause();
  }

  resume(): void {
    if (!this.#over) this.connection.resume();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort(new Error('exchange over'));
    this.connection.destroy();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    if (this.#over || status < 200) return;
    this.#answering = true;
    const headers = (controller.rawHeaders as (Buffer | string)[]).map((part) =>
      typeof part === 'string' ? part : part.toString('latin1'),
    );
    this.handler.head(status, statusText ?? '', headers);
  }

  onResponseData(_controller: unknown, bytes: Buffer): void {
    // An empty piece would be the last one as a chunk.
    if (!this.#over && bytes.length > 0) this.handler.body(new UnframedPiece(bytes));
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#over = true;
    this.release(this.connection);
    this.handler.ended();
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#over) return;
    this.#over = true;
    // Asked now: undici may have opened another socket in place of one that had closed, and that is a fresh one.
    const stale =
      !this.#answering &&
      this.connection.reused &&
      causeOfError(error) === 'reset' &&
      this.connection.bytesRead <= this.#bytesBefore;
    this.connection.destroy();
    if (!this.#answering && UNSENDABLE.has((error as { code?: unknown }).code)) {
      if (!this.#begun) {
        this.#refused = error;
        return;
      }
      this.handler.failed(new UnsendableRequest(error.message), false);
      return;
    }
    this.handler.failed(error, stale);
  }
}

class UnframedPiece implements AnswerPiece {
  readonly framed = null;

  constructor(readonly bytes: Buffer) {}

  get endsInBlankLine(): boolean {
    return endsInBlankLine(this.bytes, 0, this.bytes.length);
  }
}

const lengthOf = (body: readonly Buffer[]): number => body.reduce((sum, { length }) => sum + length, 0);

/** The bytes for undici: nothing, one buffer, or the pieces of a large body one after the other. */
function payload(pieces: readonly Buffer[]): NonNullable<Dispatcher.DispatchOptions['body']> | null {
  if (pieces.length <= 1) return pieces[0] ?? null;
  // undici takes any iterable of bytes, anew for each sending; its types name streams alone.
  return { [Symbol.asyncIterator]: () => inTurns(pieces) } as unknown as Readable;
}

/** Cuts a large body so that other requests have their turn between two writes. */
async function* inTurns(pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += WRITE_SIZE) {
      yield piece.subarray(at, at + WRITE_SIZE);
      await nextTurn();
    }
  }
}
