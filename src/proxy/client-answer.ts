import { STATUS_CODES, type ServerResponse } from 'node:http';
import { errorBody, errorFrame, type RouterError } from '../core/errors.js';
import { announcesBody, answerHeaders, EXPLAIN, headerValue, type RawHeaders } from '../core/headers.js';
import type { ApiShape } from '../core/request-facts.js';
import type { RequestSpan } from '../tracing/request-span.js';
import type { AnswerWriter } from './answer-writer.js';
import { markClosing } from './closing-connections.js';
import { NodeAnswer } from './node-answer.js';
import { SocketAnswer } from './socket-answer.js';

// The rest of an unwanted body is read and dropped for this long, so that a client which is still sending
// gets to read the answer instead of a reset (RFC 9112 section 9.6); less when it has stopped sending.
const LINGER_MS = 10_000;
const LINGER_SILENCE_MS = 1_000;
// Node refuses reason phrases with control characters or with what Latin-1 cannot hold.
const REASON = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Who is told that a client has gone before its answer was complete. */
export interface LeaveListener {
  leave(): void;
}

const IGNORE = (): void => undefined;
/** Where a response keeps its answer, so that one listener serves all. */
const ANSWER = Symbol('answer');

function onClose(this: ServerResponse): void {
  (this as ServerResponse & { [ANSWER]?: ClientAnswer })[ANSWER]?.closed();
}

/** The client's side of one exchange: the head, the bytes, the end, or an error in its API's shape. */
export class ClientAnswer {
  #started = false;
  #finished = false;
  /** The answer is a stream that can end in an event of ours: its length has not been announced. */
  #extensible = false;
  #left = false;
  #writer: AnswerWriter | null = null;
  /** How the engine was chosen, for a client that has asked; changes with each attempt. */
  explanation: string | null = null;
  /** Hears what the client gets; null: the request is not traced. */
  span: RequestSpan | null = null;

  /**
   * @param cors headers to add when the router answers CORS itself
   * @param listener told once when the client goes away before its answer is complete
   */
  constructor(
    private readonly response: ServerResponse,
    readonly shape: ApiShape,
    readonly requestId: string,
    private readonly cors: readonly string[] | null,
    private listener: LeaveListener,
  ) {
    (response as ServerResponse & { [ANSWER]?: ClientAnswer })[ANSWER] = this;
    // Some errors on a socket are raised here and nowhere else; `close` follows.
    response.on('error', IGNORE);
    response.on('close', onClose);
  }

  /** From now on `listener` is told that the client has gone. */
  tell(listener: LeaveListener): void {
    this.listener = listener;
  }

  /** Called when the response or its connection has closed. */
  closed(): void {
    if (this.#finished || this.#left || this.response.writableFinished) return;
    this.#left = true;
    this.listener.leave();
    this.span?.end();
  }

  /** The first byte has gone to the client: the request belongs to its engine. */
  get started(): boolean {
    return this.#started;
  }

  /** The client is gone. An answer that waits behind others on its connection hears of it only here. */
  get left(): boolean {
    return this.#left || this.response.destroyed || this.response.req.socket.destroyed;
  }

  /** Takes more bytes than the engine has announced. */
  get extensible(): boolean {
    return this.#extensible;
  }

  /** The body goes out in chunk framing: `writeFramed` takes chunks as they came. */
  get framing(): boolean {
    return this.#writer!.framing;
  }

  /** Takes the engine's status and headers, with the router's additions; they go out with the first bytes. */
  head(status: number, statusText: string, headers: RawHeaders, eventStream: boolean): void {
    this.#started = true;
    this.span?.answered(status);
    this.#extensible = eventStream && headerValue(headers, 'content-length') === undefined;
    const { requestId, cors, explanation: explain } = this;
    const out = answerHeaders(headers, { requestId, eventStream, cors, explain });
    const reason = REASON.test(statusText) ? statusText : (STATUS_CODES[status] ?? '');
    this.#writer =
      SocketAnswer.take(this.response, status, reason, out) ??
      new NodeAnswer(this.response, status, reason, out);
  }

  /** Sends bytes of the body; false asks to wait for `onceDrained`. */
  write(bytes: Buffer): boolean {
    return this.#writer!.write(bytes);
  }

  /** Sends whole chunks in their framing, where `framing` says that the answer has it. */
  writeFramed(chunks: Buffer): boolean {
    return this.#writer!.writeFramed(chunks);
  }

  /** Calls back once the client has taken what was written. */
  onceDrained(resume: () => void): void {
    this.#writer!.onceDrained(resume);
  }

  /** Completes the answer, with last bytes if there are any. */
  end(bytes: Buffer | null): void {
    this.#finished = true;
    this.#writer!.end(bytes);
  }

  /**
   * Ends an answer that has begun and cannot go on. A stream ends in an error event; any other body is
   * cut by closing the connection, so that it cannot pass as complete.
   * @param insideFrame part of an unfinished frame has gone out
   */
  breakOff(error: RouterError, insideFrame: boolean): void {
    this.#finished = true;
    this.span?.failed(error);
    if (!this.#extensible) {
      this.response.destroy();
      return;
    }
    const frame = errorFrame(error, this.shape, this.requestId);
    this.end(Buffer.from(insideFrame ? `\n\n${frame}` : frame));
  }

  /** Answers a CORS preflight. */
  preflight(headers: readonly string[]): void {
    this.#started = true;
    this.response.writeHead(204, [...(this.cors ?? []), ...headers, 'x-request-id', this.requestId]);
    this.#finished = true;
    this.span?.answered(204);
    this.span?.end();
    this.response.end();
  }

  /** Answers with an error of the router's own; nothing must have been sent yet. */
  error(error: RouterError): void {
    if (this.left) return;
    this.#started = true;
    this.span?.failed(error);
    const body = Buffer.from(errorBody(error, this.shape, this.requestId));
    const headers = ['content-type', 'application/json', 'content-length', String(body.length)];
    headers.push('x-request-id', this.requestId);
    if (this.explanation !== null) headers.push(EXPLAIN, this.explanation);
    if (error.status === 401) headers.push('www-authenticate', 'Bearer');
    if (error.retryAfter !== null) headers.push('retry-after', String(error.retryAfter));
    if (this.cors !== null) headers.push(...this.cors);
    const request = this.response.req;
    const unread = !request.complete && announcesBody(request.rawHeaders);
    if (error.closeConnection || unread) {
      headers.push('connection', 'close');
      markClosing(request.socket);
    }
    this.response.writeHead(error.status, headers);
    if (unread) return this.#linger(body);
    this.#finished = true;
    this.response.end(body);
  }

  /** Sends the answer whole and reads on for a while before it closes. */
  #linger(body: Buffer): void {
    const { req: request } = this.response;
    this.response.write(body);
    this.#finished = true;
    const finish = (): void => {
      clearTimeout(limit);
      clearTimeout(silence);
      request.off('data', more).off('end', finish).off('close', finish);
      this.response.end();
    };
    const more = (): void => void silence.refresh();
    const limit = setTimeout(finish, LINGER_MS).unref();
    const silence = setTimeout(finish, LINGER_SILENCE_MS).unref();
    // Listening for data makes it flow.
    request.on('data', more).once('end', finish).once('close', finish);
    request.resume();
  }
}
