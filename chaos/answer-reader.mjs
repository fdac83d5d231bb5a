// Reads answers off a connection by the letter of RFC 9112, with a mind of its own: it shares nothing with the router.

const HEAD = 0;
const SIZED = 1;
const CHUNK_SIZE = 2;
const CHUNK = 3;
const CHUNK_END = 4;
const TRAILER = 5;
const UNTIL_CLOSE = 6;

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d) [\t\x20-\x7e\x80-\xff]*$/;
const FIELD = /^([!#$%&'*+\-.^_`|~\dA-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*)$/;
const MOST_HEAD = 128 * 1024;

/** Splits what comes into answers; throws an Error that says what is wrong with the bytes. */
export class AnswerReader {
  #state = HEAD;
  #line = '';
  #left = 0;
  #status = 0;

  /** @param {{ head(status: number, headers: Map<string, string>): void, body(bytes: Buffer): void, end(): void }} to */
  constructor(to) {
    this.to = to;
  }

  /** Between two answers. */
  get idle() {
    return this.#state === HEAD && this.#line === '';
  }

  push(bytes) {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === SIZED || this.#state === CHUNK) {
        const end = Math.min(bytes.length, at + this.#left);
        this.#left -= end - at;
        this.to.body(bytes.subarray(at, end));
        at = end;
        if (this.#left > 0) continue;
        if (this.#state === CHUNK) this.#state = CHUNK_END;
        else this.#end();
      } else if (this.#state === UNTIL_CLOSE) {
        this.to.body(bytes.subarray(at));
        return;
      } else at = this.#lines(bytes, at);
    }
  }

  /** The peer has closed. True when that completes the answer under way. */
  close() {
    if (this.#state !== UNTIL_CLOSE) return false;
    this.#end();
    return true;
  }

  #lines(bytes, from) {
    const terminator = this.#state === HEAD ? '\r\n\r\n' : '\r\n';
    const before = this.#line.length;
    this.#line += bytes.latin1Slice(from);
    const end = this.#line.indexOf(terminator);
    if (end < 0) {
      if (this.#line.length > MOST_HEAD) throw new Error('a head without end');
      return bytes.length;
    }
    const line = this.#line.slice(0, end);
    this.#line = '';
    this.#take(line);
    return from + end + terminator.length - before;
  }

  #take(line) {
    if (this.#state === HEAD) return this.#head(line);
    if (this.#state === CHUNK_END) {
      if (line !== '') throw new Error('a chunk is longer than it says');
      this.#state = CHUNK_SIZE;
    } else if (this.#state === TRAILER) {
      if (line === '') this.#end();
    } else {
      const size = /^([\da-fA-F]{1,8})(;[\t\x20-\x7e]*)?$/.exec(line);
      if (size === null) throw new Error(`a chunk size of ${JSON.stringify(line.slice(0, 40))}`);
      this.#left = Number.parseInt(size[1], 16);
      this.#state = this.#left === 0 ? TRAILER : CHUNK;
    }
    return undefined;
  }

  #head(text) {
    const [first, ...lines] = text.split('\r\n');
    const status = STATUS_LINE.exec(first)?.[1];
    if (status === undefined) throw new Error(`a status line of ${JSON.stringify(first.slice(0, 80))}`);
    const headers = new Map();
    for (const line of lines) {
      const field = FIELD.exec(line);
      if (field === null) throw new Error(`a header line of ${JSON.stringify(line.slice(0, 80))}`);
      const name = field[1].toLowerCase();
      if (headers.has(name) && /^(content-length|transfer-encoding|content-type)$/.test(name)) {
        throw new Error(`two ${name}`);
      }
      headers.set(name, field[2].trim());
    }
    this.#status = Number(status);
    if (this.#status < 200) return;
    const length = headers.get('content-length');
    const coding = headers.get('transfer-encoding');
    if (length !== undefined && coding !== undefined) throw new Error('a length and chunks');
    if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new Error(`a length of ${length}`);
    if (coding !== undefined && coding.toLowerCase() !== 'chunked') throw new Error(`a coding of ${coding}`);
    this.to.head(this.#status, headers);
    if (coding !== undefined) this.#state = CHUNK_SIZE;
    else if (length === undefined && this.#status !== 204 && this.#status !== 304) this.#state = UNTIL_CLOSE;
    else if (length !== undefined && Number(length) > 0) {
      this.#state = SIZED;
      this.#left = Number(length);
    } else this.#end();
  }

  #end() {
    this.#state = HEAD;
    this.to.end();
  }
}
