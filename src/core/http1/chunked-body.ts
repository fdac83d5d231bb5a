import { BodyPiece, copyOf } from './body-piece.js';
import { colonOf } from './field-line.js';
import { MalformedAnswer } from './malformed-answer.js';

/** Characters of the extensions of one chunk, which nothing here reads. */
const MAX_EXTENSIONS = 256;
const MAX_DIGITS = 16;
/** Bytes of all trailers of one answer; they are checked and dropped. */
const MAX_TRAILERS = 16 * 1024;

// RFC 9112 section 7.1.1; names are tokens, values tokens or quoted strings. Lines are short, as is the search.
const EXTENSION =
  /[ \t]*;[ \t]*[\w!#$%&'*+\-.^`|~]+(?:[ \t]*=[ \t]*(?:[\w!#$%&'*+\-.^`|~]+|"(?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?/
    .source;
const SIZE_LINE = new RegExp(`^([0-9A-Fa-f]{1,${MAX_DIGITS}})((?:${EXTENSION})*)\\r\\n$`);
const BEGINNING = new RegExp(
  `^[0-9A-Fa-f]{1,${MAX_DIGITS}}(?:\\r|[ \\t;][\\t\\x20-\\x7e\\x80-\\xff]*\\r?)?$`,
);

const HEX = new Int8Array(256).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  HEX[digit.toString(16).charCodeAt(0)] = digit;
  HEX[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}
const CR = 0x0d;
const LF = 0x0a;

const enum Part {
  Size,
  Data,
  Cr,
  Lf,
  Trailers,
  Over,
}

/** Takes a chunked body apart (RFC 9112 section 7.1), from reads that end anywhere. */
export class ChunkedBody {
  /** What the last `read` held of the body; null for nothing. */
  piece: BodyPiece | null = null;
  #part = Part.Size;
  /** The beginning of an unfinished line; at most a size line or `MAX_TRAILERS` characters. */
  #kept = '';
  /** Bytes of the present chunk that have not come. */
  #left = 0;
  #trailers = 0;

  get over(): boolean {
    return this.#part === Part.Over;
  }

  begin(): void {
    this.#part = Part.Size;
    this.#kept = '';
    this.#trailers = 0;
  }

  /**
   * Reads on.
   * @returns the position behind what belongs to the body
   * @throws {MalformedAnswer}
   */
  read(bytes: Buffer, from: number, to: number): number {
    const ranges: number[] = [];
    let whole = this.#part === Part.Size && this.#kept === '';
    /** Behind the last whole chunk, or the payload of an unfinished one. */
    let end = from;
    let at = from;
    while (at < to && this.#part !== Part.Over) {
      switch (this.#part) {
        case Part.Size:
        case Part.Trailers:
          at = this.#part === Part.Size ? this.#plainSize(bytes, at, to) : ~at;
          if (at >= 0) break;
          whole &&= this.#part === Part.Trailers;
          at = this.#line(bytes, ~at, to);
          break;
        case Part.Data: {
          const stop = Math.min(to, at + this.#left);
          ranges.push(at - from, stop - from);
          this.#left -= stop - at;
          at = end = stop;
          if (this.#left === 0) this.#part = Part.Cr;
          break;
        }
        case Part.Cr:
          if (bytes[at++] !== CR) throw unended();
          this.#part = Part.Lf;
          break;
        case Part.Lf:
          if (bytes[at++] !== LF) throw unended();
          this.#part = Part.Size;
          end = at;
          break;
      }
    }
    whole &&= this.#part === Part.Size || this.#part >= Part.Trailers;
    this.piece = ranges.length === 0 ? null : new BodyPiece(copyOf(bytes, from, end), ranges, whole);
    return at;
  }

  /** Reads a size line without extensions that is here as a whole; gives `~at` when there is none. */
  #plainSize(bytes: Buffer, at: number, to: number): number {
    if (this.#kept !== '') return ~at;
    let size = 0;
    let next = at;
    for (; next < to; next++) {
      const digit = HEX[bytes[next]!]!;
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    if (next === at || next - at > MAX_DIGITS || next + 1 >= to) return ~at;
    if (bytes[next] !== CR || bytes[next + 1] !== LF) return ~at;
    this.#chunk(size);
    return next + 2;
  }

  /** Reads a line of any kind, or the beginning of one. */
  #line(bytes: Buffer, at: number, to: number): number {
    let stop = at;
    while (stop < to && bytes[stop] !== LF) stop++;
    const ended = stop < to;
    const next = ended ? stop + 1 : to;
    const line = this.#kept + bytes.toString('latin1', at, next);
    if (this.#part === Part.Size) this.#sizeLine(line, ended);
    else this.#trailerLine(line, ended, next - at);
    this.#kept = ended ? '' : line;
    return next;
  }

  #sizeLine(line: string, ended: boolean): void {
    const fits = line.length <= MAX_DIGITS + MAX_EXTENSIONS + 2;
    const found = fits ? (ended ? SIZE_LINE : BEGINNING).exec(line) : null;
    if (found === null) throw new MalformedAnswer('the size of a chunk is none');
    if (ended) this.#chunk(parseInt(found[1]!, 16));
  }

  #trailerLine(line: string, ended: boolean, added: number): void {
    this.#trailers += added;
    if (this.#trailers > MAX_TRAILERS) throw new MalformedAnswer('the trailers are too large');
    if (!ended) return;
    if (line === '\r\n') this.#part = Part.Over;
    else if (!line.endsWith('\r\n')) throw new MalformedAnswer('a trailer ends without CR');
    else colonOf(line.slice(0, -2));
  }

  #chunk(size: number): void {
    if (!Number.isSafeInteger(size)) throw new MalformedAnswer('a chunk is too large');
    this.#left = size;
    this.#part = size === 0 ? Part.Trailers : Part.Data;
  }
}

const unended = (): MalformedAnswer => new MalformedAnswer('a chunk does not end where it should');
