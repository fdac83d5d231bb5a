import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { byEndOfTurn, type AtEndOfTurn } from '../scheduling/end-of-turn.js';
import type { AnswerWriter } from './answer-writer.js';

/** Longest size line of a chunk that a buffer can hold, with both line ends and the last chunk. */
const FRAMING = 32;
const NOTHING = Buffer.alloc(0);

/** Fields of Node's response that its documentation does not name; a test watches over what they do. */
interface OpenResponse {
  _header: string;
  _headerSent: boolean;
  /** How long an idle connection is kept, milliseconds; 0 for ever. */
  readonly _keepAliveTimeout: number;
}

/**
 * Writes an answer straight to its connection, head and first bytes in one write. Node's response validates
 * and rewrites a head that has been validated already, corks each write and joins its pieces anew: about a
 * third of what a short answer costs. It still hears of the head and of the end, and goes on to the next
 * request of the connection as ever.
 */
export class SocketAnswer implements AnswerWriter, AtEndOfTurn {
  readonly framing: boolean;
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  /** The head, until the first bytes take it along. */
  #head: string;
  #corked = false;

  private constructor(response: ServerResponse, socket: Socket, head: string, framing: boolean) {
    this.#response = response;
    this.#socket = socket;
    this.#head = head;
    this.framing = framing;
    const open = response as unknown as OpenResponse;
    open._header = head;
    open._headerSent = true;
  }

  /**
   * The writer for an answer with a body that goes to an HTTP/1.1 client which keeps its connection; null for
   * others, and for one that waits behind others on its connection.
   * @param headers names and values that are valid in HTTP, as a parser let them through
   */
  static take(
    response: ServerResponse,
    status: number,
    statusText: string,
    headers: readonly string[],
  ): SocketAnswer | null {
    const { socket, req: request } = response;
    if (socket === null || !response.shouldKeepAlive || response.headersSent) return null;
    if (request.httpVersionMinor !== 1 || request.method === 'HEAD') return null;
    if (status < 200 || status === 204 || status === 304) return null;
    let head = `HTTP/1.1 ${status} ${statusText}\r\n`;
    let framing = true;
    let dated = false;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i]!;
      head += `${name}: ${headers[i + 1]}\r\n`;
      if (name.length === 14 && name.toLowerCase() === 'content-length') framing = false;
      else if (name.length === 4 && name.toLowerCase() === 'date') dated = true;
    }
    if (!dated) head += `Date: ${new Date().toUTCString()}\r\n`;
    head += 'Connection: keep-alive\r\n';
    const idle = Math.floor((response as unknown as OpenResponse)._keepAliveTimeout / 1_000);
    if (idle > 0) head += `Keep-Alive: timeout=${idle}\r\n`;
    head += framing ? 'Transfer-Encoding: chunked\r\n\r\n' : '\r\n';
    return new SocketAnswer(response, socket, head, framing);
  }

  write(bytes: Buffer): boolean {
    this.#cork();
    return this.#socket.write(this.framing || this.#head !== '' ? this.#joined(bytes, false) : bytes);
  }

  writeFramed(chunks: Buffer): boolean {
    this.#cork();
    if (this.#head === '') return this.#socket.write(chunks);
    const head = this.#head;
    this.#head = '';
    const joined = Buffer.allocUnsafe(head.length + chunks.length);
    chunks.copy(joined, joined.write(head, 0, 'latin1'));
    return this.#socket.write(joined);
  }

  end(bytes: Buffer | null): void {
    this.#cork();
    const rest = bytes ?? NOTHING;
    // Node takes an answer for sent when its response ends: not before the client has taken the bytes.
    this.#socket.write(this.framing || this.#head !== '' ? this.#joined(rest, true) : rest, () =>
      this.#response.end(),
    );
  }

  /** Sends what has been written in this turn. */
  endOfTurn(): void {
    this.#corked = false;
    this.#socket.uncork();
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    byEndOfTurn(this);
  }

  onceDrained(resume: () => void): void {
    this.#socket.once('drain', resume);
  }

  /** Head, if it has not gone out, and bytes in their framing (RFC 9112 section 7.1), in one buffer. */
  #joined(bytes: Buffer, last: boolean): Buffer {
    const head = this.#head;
    this.#head = '';
    const joined = Buffer.allocUnsafe(head.length + bytes.length + FRAMING);
    let at = head === '' ? 0 : joined.write(head, 0, 'latin1');
    const chunk = this.framing && bytes.length > 0;
    if (chunk) at += joined.write(`${bytes.length.toString(16)}\r\n`, at, 'latin1');
    at += bytes.copy(joined, at);
    if (chunk) at += joined.write('\r\n', at, 'latin1');
    if (this.framing && last) at += joined.write('0\r\n\r\n', at, 'latin1');
    return joined.subarray(0, at);
  }
}
