import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { cutAt, type CutPhase, type Fault } from './fault.js';
import { type EngineError, errorBody, errorFrame, ENGINE_DEAD } from './wire-format-other.js';
import { DONE_FRAME } from './wire-format.js';
import type { RequestEnd, SeenRequest } from './seen-request.js';

/** Lets what was written before a reset reach the peer: a reset throws away what is still on its way. */
const RESET_DELAY_MS = 20;

const EVENT_STREAM = 'text/event-stream; charset=utf-8';

/** What all answers of an engine have in common. */
export interface AnswerStyle {
  /** Sent as `x-request-id` with every answer; null without `--enable-request-id-headers`. */
  readonly requestId: string | null;
  /** The error body of vLLM up to 0.10.0. */
  readonly flatErrors: boolean;
}

/**
 * One request on its way through the engine: writes the answer with the engine's header lines in their
 * order, applies the cuts of its fault, and knows when the client has left.
 */
export class Exchange {
  private frames = 0;
  private ended = false;
  private closed = false;
  private readonly leavers: (() => void)[] = [];

  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly seen: SeenRequest,
    readonly fault: Fault | null,
    onOver: () => void,
    private readonly style: AnswerStyle,
  ) {
    response.once('close', () => {
      const aborted = seen.finished === 'open' && !response.writableFinished;
      if (seen.finished === 'open') seen.finished = aborted ? 'aborted' : 'done';
      this.ended = true;
      this.closed = true;
      for (const leaver of this.leavers.splice(0)) leaver();
      onOver();
    });
  }

  get path(): string {
    return this.seen.path;
  }

  /** Nothing more can or may be written. */
  get over(): boolean {
    return this.ended;
  }

  /** Calls `callback` once the answer is complete or the client has left; a hanging exchange waits for that. */
  onOver(callback: () => void): void {
    if (this.closed) callback();
    else this.leavers.push(callback);
  }

  /** Resolves after this many milliseconds, or as soon as the exchange is over. */
  async delay(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.onOver(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Applies the cut that the fault asks for at this phase. True when there was one. */
  cut(phase: CutPhase): boolean {
    const how = cutAt(this.fault, phase);
    if (how === null || this.ended) return false;
    this.ended = true;
    if (this.seen.status !== null) this.response.flushHeaders();
    if (how !== 'hang') this.close(how, 'faulted');
    return true;
  }

  /** Closes the connection: with a FIN after what was written, or with a RST. */
  close(how: 'fin' | 'reset', end: RequestEnd): void {
    this.ended = true;
    this.seen.finished = end;
    const { socket } = this.request;
    if (how === 'fin') socket.destroySoon();
    else if (this.seen.status === null) socket.resetAndDestroy();
    else setTimeout(() => socket.resetAndDestroy(), RESET_DELAY_MS);
  }

  /** Writes these bytes as they are, then FIN. */
  sendRaw(bytes: Uint8Array | string): void {
    this.request.socket.write(bytes);
    this.close('fin', 'faulted');
  }

  sendJson(status: number, value: object): void {
    this.send(status, ['content-type', 'application/json'], JSON.stringify(value));
  }

  sendError(error: EngineError): void {
    const flat = this.style.flatErrors || this.fault?.flatError === true;
    this.sendJson(error.status, errorBody(error, this.path, flat));
  }

  /** A whole answer with `vary: Origin`, as the engine's own have. */
  send(
    status: number,
    headers: readonly string[],
    body: Uint8Array | string,
    first: readonly string[] = [],
  ): void {
    this.sendPlain(status, [...headers, 'vary', 'Origin'], body, first);
  }

  /** A whole answer with a content-length and these header lines, `first` before the content-length. */
  sendPlain(
    status: number,
    headers: readonly string[],
    body: Uint8Array | string,
    first: readonly string[] = [],
  ): void {
    if (this.ended || this.cut('before-head')) return;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    if (this.fault?.truncated === true) {
      this.head(status, headers, true);
      this.half(bytes);
      return;
    }
    const wrong = this.fault?.wrongLength ?? 0;
    const length = String(Math.max(0, bytes.length + wrong));
    this.head(status, [...first, 'content-length', length, ...headers]);
    if (this.cut('after-head')) return;
    if (wrong !== 0) {
      this.response.flushHeaders();
      this.request.socket.write(bytes);
      this.close('fin', 'faulted');
    } else if (cutAt(this.fault, 'mid-frame') !== null) {
      this.response.write(bytes.subarray(0, bytes.length >> 1));
      this.cut('mid-frame');
    } else if (cutAt(this.fault, 'after-frames') !== null) {
      this.response.write(bytes);
      this.cut('after-frames');
    } else {
      this.ended = true;
      this.response.end(bytes);
    }
  }

  /** Sends the head of an SSE stream at once. False when a fault has ended the exchange. */
  startStream(): boolean {
    if (!this.startChunks(200, ['content-type', EVENT_STREAM, 'vary', 'Origin'])) return false;
    for (let count = 0; count < (this.fault?.keepAliveComments ?? 0); count += 1) {
      this.response.write(': keep-alive\n\n');
    }
    return true;
  }

  /** Sends the head of a chunked answer at once. False when a fault has ended the exchange. */
  startChunks(status: number, headers: readonly string[]): boolean {
    if (this.ended || this.cut('before-head')) return false;
    this.head(status, headers, true);
    this.response.flushHeaders();
    return !this.cut('after-head');
  }

  /** Writes one frame as one HTTP chunk. False when the socket's buffer is full: wait for `onDrain`. */
  frame(text: Uint8Array | string): boolean {
    if (this.ended) return true;
    const { fault } = this;
    if (fault !== null && this.frames >= this.frameLimit(fault)) {
      if (fault.errorEvent === true) {
        this.response.write(errorFrame(ENGINE_DEAD));
        this.frames = -Infinity;
        this.end(DONE_FRAME);
        return true;
      }
      if (fault.truncated === true) {
        this.half(Buffer.from(text));
        return true;
      }
      if (cutAt(fault, 'mid-frame') !== null) this.response.write(text.slice(0, text.length >> 1));
      if (this.cut('mid-frame') || this.cut('after-frames')) return true;
    }
    this.frames += 1;
    return this.response.write(text);
  }

  /**
   * The socket for bytes that are framed as HTTP chunks already, once the head is sent: one write for all frames of
   * a turn, without the cost of `ServerResponse.write` for each. Null when a fault looks at each frame, and for
   * a pipelined request whose turn has not come.
   */
  get rawSocket(): Socket | null {
    return this.fault === null && !this.ended ? this.response.socket : null;
  }

  /** Ends a stream, with a last frame if given. */
  end(last?: string): void {
    if (last !== undefined) this.frame(last);
    if (this.ended) return;
    this.ended = true;
    this.response.end();
  }

  /** The client reads slowly: what is written now waits in memory. */
  get needsRoom(): boolean {
    return this.response.writableNeedDrain || (this.response.socket?.writableNeedDrain ?? false);
  }

  /** Calls back in a later turn, once the client has read enough. */
  onRoom(callback: () => void): void {
    const { response } = this;
    const busy = response.writableNeedDrain ? response : response.socket;
    if (busy?.writableNeedDrain === true) busy.once('drain', callback);
    else setImmediate(callback);
  }

  /** Sends a head in the engine's order of lines; Node's own `connection` and `keep-alive` are left out. */
  head(status: number, headers: readonly string[], chunked = false): void {
    this.seen.status = status;
    const { response } = this;
    response.removeHeader('connection');
    response.removeHeader('date');
    const lines = ['date', new Date().toUTCString(), 'server', 'uvicorn', ...headers];
    const { requestId } = this.style;
    if (requestId !== null) lines.push('x-request-id', requestId);
    if (!response.shouldKeepAlive) lines.push('connection', 'close');
    if (chunked) lines.push('transfer-encoding', 'chunked');
    response.writeHead(status, lines);
  }

  private frameLimit(fault: Fault): number {
    return fault.frames ?? (fault.errorEvent === true || fault.truncated === true ? 0 : 1);
  }

  /** A chunk that announces all of `bytes` and brings half of them, then FIN. */
  private half(bytes: Uint8Array): void {
    this.response.flushHeaders();
    this.request.socket.write(`${bytes.length.toString(16)}\r\n`);
    this.request.socket.write(bytes.subarray(0, bytes.length >> 1));
    this.close('fin', 'faulted');
  }
}
