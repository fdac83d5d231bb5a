import { copyOf, BodyPiece } from './body-piece.js';
import { ChunkedBody } from './chunked-body.js';
import { HeadReader } from './head-reader.js';
import { MalformedAnswer } from './malformed-answer.js';

/** What hears of an answer while it is read. Each may say `false`: nothing more is wanted. */
export interface AnswerSink {
  head(status: number, statusText: string, headers: string[]): boolean;
  body(piece: BodyPiece): boolean;
}

const enum Part {
  Head,
  Length,
  Chunks,
  /** The body ends with the connection (RFC 9112 section 6.3, the last rule). */
  UntilClose,
  Over,
}

/**
 * Reads the answers of one connection, one after the other, strictly by RFC 9112: what the RFC does not allow
 * is not repaired. Reads may end at any byte.
 */
export class AnswerReader {
  #part = Part.Over;
  #isHead = false;
  #begun = false;
  #left = 0;
  readonly #head = new HeadReader();
  readonly #chunks = new ChunkedBody();

  /** The whole answer has come. */
  get over(): boolean {
    return this.#part === Part.Over;
  }

  /** A byte of the answer has come. */
  get begun(): boolean {
    return this.#begun;
  }

  /**
   * The connection may carry another request after this answer. Not after one to HEAD: an engine that sends a
   * body there by mistake may send it later.
   */
  get keepAlive(): boolean {
    return this.#head.keepAlive && !this.#isHead;
  }

  /** A request goes out: its answer is next. */
  begin(method: string): void {
    this.#part = Part.Head;
    this.#isHead = method === 'HEAD';
    this.#begun = false;
    this.#head.begin();
  }

  /**
   * Reads on, and tells the sink at most one head and one piece.
   * @returns the position behind the answer, which is before `to` when the engine has sent more than that
   * @throws {MalformedAnswer}
   */
  read(bytes: Buffer, from: number, to: number, sink: AnswerSink): number {
    this.#begun ||= to > from;
    let at = from;
    while (this.#part === Part.Head) {
      at = this.#head.read(bytes, at, to);
      if (at < 0) return to;
      if (!this.#headOver(sink)) return to;
    }
    switch (this.#part) {
      case Part.Length: {
        const stop = Math.min(to, at + this.#left);
        this.#left -= stop - at;
        if (this.#left === 0) this.#part = Part.Over;
        if (stop > at) sink.body(new BodyPiece(copyOf(bytes, at, stop), null, false));
        return stop;
      }
      case Part.Chunks: {
        const stop = this.#chunks.read(bytes, at, to);
        if (this.#chunks.over) this.#part = Part.Over;
        if (this.#chunks.piece !== null) sink.body(this.#chunks.piece);
        return stop;
      }
      case Part.UntilClose:
        if (to > at) sink.body(new BodyPiece(copyOf(bytes, at, to), null, false));
        return to;
      default:
        return at;
    }
  }

  /**
   * The engine has ended the connection.
   * @returns whether that ends the answer well
   */
  close(): boolean {
    if (this.#part !== Part.UntilClose) return false;
    this.#part = Part.Over;
    return true;
  }

  /** How the body is framed (RFC 9112 section 6.3). */
  #headOver(sink: AnswerSink): boolean {
    const head = this.#head;
    const { status } = head;
    if (status === 101) throw new MalformedAnswer('the engine changes a protocol that nobody asked it to');
    if (status < 200) {
      head.passOver();
      return true;
    }
    if (this.#isHead || status === 204 || status === 304) this.#part = Part.Over;
    else if (head.chunked) {
      this.#chunks.begin();
      this.#part = Part.Chunks;
    } else if (head.length >= 0) {
      this.#left = head.length;
      this.#part = head.length === 0 ? Part.Over : Part.Length;
    } else {
      head.keepAlive = false;
      this.#part = Part.UntilClose;
    }
    return sink.head(status, head.statusText, head.headers);
  }
}
