// Reads HTTP/1.1 messages off a socket, just enough for the shows' own client and engine: a head, then a body
// by content-length, chunked or up to the close. It trusts its peer; the product does not use it.

const HEAD = 0;
const LENGTH = 1;
const CHUNK_SIZE = 2;
const CHUNK = 3;
const CHUNK_END = 4;
const TRAILER = 5;
const UNTIL_CLOSE = 6;

const LF = 0x0a;

/** Splits the bytes of one side of a connection into messages. `chunk`s given to `onBody` are valid during the call only. */
export class MessageReader {
  #state = HEAD;
  /** Bytes of an unfinished head. */
  #rest = Buffer.alloc(0);
  #left = 0;
  #line = '';

  /**
   * @param {{ isAnswer: boolean, onHead: (head: Head) => void, onBody: (chunk: Buffer) => void, onEnd: () => void }} to
   * @typedef {{ first: string, headers: Map<string, string> }} Head
   */
  constructor(to) {
    this.to = to;
  }

  /** Takes the next bytes of the connection. */
  push(bytes) {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === HEAD) at = this.#readHead(bytes, at);
      else if (this.#state === LENGTH || this.#state === CHUNK) at = this.#readSized(bytes, at);
      else if (this.#state === UNTIL_CLOSE) {
        this.to.onBody(bytes.subarray(at));
        return;
      } else at = this.#readLine(bytes, at);
    }
  }

  /** The connection has ended. True when the message under way was complete with that. */
  close() {
    if (this.#state !== UNTIL_CLOSE) return false;
    this.#finish();
    return true;
  }

  #readHead(bytes, from) {
    const before = this.#rest.length;
    const all = before === 0 ? bytes.subarray(from) : Buffer.concat([this.#rest, bytes.subarray(from)]);
    const end = all.indexOf('\r\n\r\n');
    if (end < 0) {
      this.#rest = Buffer.from(all);
      return bytes.length;
    }
    this.#rest = Buffer.alloc(0);
    const [first, ...lines] = all.toString('latin1', 0, end).split('\r\n');
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    this.#startBody(first, headers);
    return from + end + 4 - before;
  }

  #startBody(first, headers) {
    const status = this.to.isAnswer ? Number(first.slice(9, 12)) : 0;
    // 100 Continue precedes the answer.
    if (this.to.isAnswer && status < 200) return;
    this.to.onHead({ first, headers });
    const length = headers.get('content-length');
    if (/chunked/i.test(headers.get('transfer-encoding') ?? '')) this.#state = CHUNK_SIZE;
    else if (Number(length) > 0) {
      this.#state = LENGTH;
      this.#left = Number(length);
    } else if (!this.to.isAnswer || length !== undefined || status === 204) this.#finish();
    else this.#state = UNTIL_CLOSE;
  }

  #readSized(bytes, at) {
    const end = Math.min(bytes.length, at + this.#left);
    this.#left -= end - at;
    const wasChunk = this.#state === CHUNK;
    this.to.onBody(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    if (this.#left === 0) {
      if (wasChunk) this.#state = CHUNK_END;
      else this.#finish();
    }
    return end;
  }

  #readLine(bytes, at) {
    const lf = bytes.indexOf(LF, at);
    if (lf < 0) {
      this.#line += bytes.latin1Slice(at);
      return bytes.length;
    }
    const line = (this.#line + bytes.latin1Slice(at, lf)).trim();
    this.#line = '';
    if (this.#state === CHUNK_END) this.#state = CHUNK_SIZE;
    else if (this.#state === TRAILER) {
      if (line === '') this.#finish();
    } else {
      this.#left = Number.parseInt(line, 16);
      this.#state = this.#left === 0 ? TRAILER : CHUNK;
    }
    return lf + 1;
  }

  #finish() {
    this.#state = HEAD;
    this.to.onEnd();
  }
}
