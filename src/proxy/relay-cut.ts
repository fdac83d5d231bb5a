import { endOfLastFrame } from '../core/sse-frames.js';
import type { AnswerPiece } from '../upstream/upstream-client.js';
import { HOLD_LIMIT } from './held-answer.js';

const NOTHING = { bytes: Buffer.alloc(0) };

/**
 * Decides where a relayed body may be cut. Complete frames go out in the turn in which they come; the
 * beginning of an unfinished one waits for its end, so that a stream that breaks off can still end in an
 * error event of its own. Bodies that are no streams pass as they are.
 */
export class RelayCut {
  readonly #frames: boolean;
  /** The beginning of an unfinished frame, at most `HOLD_LIMIT` bytes. */
  #tail: Buffer | null = null;
  #insideFrame = false;
  #last: Pick<AnswerPiece, 'bytes'> = NOTHING;
  #beforeLast: Pick<AnswerPiece, 'bytes'> = NOTHING;

  /** @param frames the body is a stream of server-sent events */
  constructor(frames: boolean) {
    this.#frames = frames;
  }

  /** Part of an unfinished frame has gone out. */
  get insideFrame(): boolean {
    return this.#insideFrame;
  }

  /** What goes out now that `chunk` has come; null for nothing. */
  next(chunk: Buffer): Buffer | null {
    const out = this.#frames ? this.#completeFrames(chunk) : chunk;
    if (out !== null) this.#goesOut({ bytes: out });
    return out;
  }

  /** Whether `piece` goes out now as it came, since nothing waits and no frame is unfinished at its end. */
  takesWhole(piece: AnswerPiece): boolean {
    if (this.#frames) {
      if (this.#tail !== null || !piece.endsInBlankLine) return false;
      this.#insideFrame = false;
    }
    this.#goesOut(piece);
    return true;
  }

  /** What is left at the end of the body; null for nothing. */
  rest(): Buffer | null {
    const rest = this.#tail;
    this.#tail = null;
    return rest;
  }

  /** The last bytes that went out, where engines put the token counts. */
  ending(): Buffer {
    const { bytes } = this.#last;
    return this.#beforeLast === NOTHING ? bytes : Buffer.concat([this.#beforeLast.bytes, bytes]);
  }

  #goesOut(piece: Pick<AnswerPiece, 'bytes'>): void {
    this.#beforeLast = this.#last;
    this.#last = piece;
  }

  #completeFrames(chunk: Buffer): Buffer | null {
    const bytes = this.#tail === null ? chunk : Buffer.concat([this.#tail, chunk]);
    const end = endOfLastFrame(bytes);
    this.#tail = end === bytes.length ? null : bytes.subarray(end);
    if (this.#tail !== null && this.#tail.length > HOLD_LIMIT) {
      this.#tail = null;
      this.#insideFrame = true;
      return bytes;
    }
    if (end === 0) return null;
    this.#insideFrame = false;
    return end === bytes.length ? bytes : bytes.subarray(0, end);
  }
}
