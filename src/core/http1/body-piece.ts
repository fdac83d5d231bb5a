import { endsInBlankLine } from '../sse-frames.js';

/** What one read held of a body. Its memory is its own: the buffer of the read is used again. */
export class BodyPiece {
  readonly #copy: Buffer;
  readonly #ranges: readonly number[] | null;
  #bytes: Buffer | null = null;

  /**
   * @param copy the bytes of the read
   * @param ranges from, to, from, to, … of the payload in `copy`; null: all of it
   * @param framed `copy` is whole chunks without extensions (RFC 9112 section 7.1)
   */
  constructor(
    copy: Buffer,
    ranges: readonly number[] | null,
    private readonly whole: boolean,
  ) {
    this.#copy = copy;
    this.#ranges = ranges;
  }

  /** The payload of the last chunk of the piece ends in a blank line; all of it where the body is not chunked. */
  get endsInBlankLine(): boolean {
    const ranges = this.#ranges;
    if (ranges === null) return endsInBlankLine(this.#copy, 0, this.#copy.length);
    return endsInBlankLine(this.#copy, ranges[ranges.length - 2]!, ranges[ranges.length - 1]!);
  }

  /** The payload alone. Put together when it is asked for: who relays the chunks as they are needs it not. */
  get bytes(): Buffer {
    this.#bytes ??= this.#payload();
    return this.#bytes;
  }

  /** The chunks as the engine framed them; null when the piece is not made of whole chunks. */
  get framed(): Buffer | null {
    return this.whole ? this.#copy : null;
  }

  #payload(): Buffer {
    const ranges = this.#ranges;
    if (ranges === null) return this.#copy;
    if (ranges.length === 2) return this.#copy.subarray(ranges[0], ranges[1]);
    let length = 0;
    for (let i = 0; i < ranges.length; i += 2) length += ranges[i + 1]! - ranges[i]!;
    const out = Buffer.allocUnsafe(length);
    let at = 0;
    for (let i = 0; i < ranges.length; i += 2) at += this.#copy.copy(out, at, ranges[i], ranges[i + 1]);
    return out;
  }
}

/** A copy of a part of a buffer. */
export function copyOf(bytes: Buffer, from: number, to: number): Buffer {
  const copy = Buffer.allocUnsafe(to - from);
  bytes.copy(copy, 0, from, to);
  return copy;
}
