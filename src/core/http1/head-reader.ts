import { colonOf, hasForbidden, valueAfter } from './field-line.js';
import { MalformedAnswer } from './malformed-answer.js';

/** Bytes of a head, those of the informational answers before it included. */
const MAX_HEAD = 64 * 1024;

const END_OF_HEAD = Buffer.from('\r\n\r\n', 'latin1');
const VERSION = 'HTTP/1.';

/**
 * Reads the head of one answer after the other (RFC 9112 sections 4 and 5), from reads that end anywhere.
 * What it has found is in its fields when `read` has returned a position.
 */
export class HeadReader {
  status = 0;
  statusText = '';
  /** Name, value, name, value, … in the engine's spelling, one character a byte. */
  headers: string[] = [];
  /** The `Content-Length`; -1: none. */
  length = -1;
  chunked = false;
  /** The engine has not said that it closes the connection. */
  keepAlive = true;

  /** The beginning of an unfinished line, at most `MAX_HEAD` characters. */
  #kept = '';
  #size = 0;
  #hasStatus = false;
  #minor = 1;

  /** Forgets everything, for the first head of an answer. */
  begin(): void {
    this.#kept = '';
    this.#size = 0;
    this.#nextHead();
  }

  /**
   * Reads on.
   * @returns the position behind the head; -1 when the head goes on
   * @throws {MalformedAnswer}
   */
  read(bytes: Buffer, from: number, to: number): number {
    let end = to;
    if (this.#kept === '') {
      // The rest of the buffer may hold an old end of a head.
      const found = bytes.indexOf(END_OF_HEAD, from);
      if (found >= 0 && found + 4 <= to) end = found + 4;
    }
    const kept = this.#kept.length;
    const text = this.#kept + bytes.toString('latin1', from, end);
    let at = 0;
    for (;;) {
      const eol = text.indexOf('\r\n', at);
      if (eol < 0) break;
      const line = text.slice(at, eol);
      at = eol + 2;
      if (this.#hasStatus && line === '') {
        this.#grow(at - kept);
        this.#kept = '';
        this.#complete();
        return from + at - kept;
      }
      if (this.#hasStatus) this.#field(line);
      else this.#statusLine(line);
    }
    this.#keep(text.slice(at), at === 0 ? kept : 0);
    this.#grow(end - from);
    return -1;
  }

  /** The head was an informational one (1xx), another one follows. */
  passOver(): void {
    this.#nextHead();
  }

  #nextHead(): void {
    this.headers = [];
    this.length = -1;
    this.chunked = false;
    this.keepAlive = true;
    this.#hasStatus = false;
  }

  #grow(bytes: number): void {
    this.#size += bytes;
    if (this.#size > MAX_HEAD) throw new MalformedAnswer(`the head is larger than ${MAX_HEAD} bytes`);
  }

  /** Keeps an unfinished line. What cannot become one is refused now: the engine may send nothing more. */
  #keep(line: string, known: number): void {
    const added = line.slice(Math.max(0, known - 1), line.endsWith('\r') ? -1 : undefined);
    if (hasForbidden(added)) throw new MalformedAnswer('the head holds a control character');
    if (!this.#hasStatus && !line.startsWith(VERSION) && !VERSION.startsWith(line)) throw notHttp();
    this.#kept = line;
  }

  #statusLine(line: string): void {
    const minor = line.charCodeAt(7) - 48;
    const code = line.slice(9, 12);
    if (!line.startsWith(VERSION) || (minor !== 0 && minor !== 1) || line[8] !== ' ') throw notHttp();
    if (!/^[1-9][0-9]{2}$/.test(code) || line[12] !== ' ') throw new MalformedAnswer('the status is not one');
    if (hasForbidden(line)) throw new MalformedAnswer('the status line holds a control character');
    this.status = +code;
    this.statusText = line.slice(13);
    this.#minor = minor;
    this.keepAlive = minor === 1;
    this.#hasStatus = true;
  }

  #field(line: string): void {
    const colon = colonOf(line);
    const name = line.slice(0, colon);
    const value = valueAfter(line, colon);
    this.headers.push(name, value);
    if (colon === 14) this.#lengthField(name, value);
    else if (colon === 17) this.#codingField(name, value);
    else if (colon === 10) this.#connectionField(name, value);
  }

  // Two lengths may be refused even when they are equal (RFC 9112 section 6.3).
  #lengthField(name: string, value: string): void {
    if (name.toLowerCase() !== 'content-length') return;
    const length = Number(value);
    if (this.length >= 0) throw new MalformedAnswer('there is more than one Content-Length');
    if (!/^[0-9]+$/.test(value) || !Number.isSafeInteger(length))
      throw new MalformedAnswer('the Content-Length is no number');
    this.length = length;
  }

  #codingField(name: string, value: string): void {
    if (name.toLowerCase() !== 'transfer-encoding') return;
    if (this.chunked || value.toLowerCase() !== 'chunked')
      throw new MalformedAnswer('the transfer coding is not chunked');
    this.chunked = true;
  }

  #connectionField(name: string, value: string): void {
    if (name.toLowerCase() !== 'connection') return;
    for (const option of value.split(',')) {
      if (option.trim().toLowerCase() === 'close') this.keepAlive = false;
    }
  }

  /** Faults that two lines make together (RFC 9112 sections 6.1 and 6.3). */
  #complete(): void {
    if (this.chunked && this.length >= 0)
      throw new MalformedAnswer('there are Content-Length and Transfer-Encoding');
    if (this.chunked && this.#minor === 0) throw new MalformedAnswer('HTTP/1.0 has no transfer coding');
  }
}

const notHttp = (): MalformedAnswer => new MalformedAnswer('the answer is not HTTP/1.1');
