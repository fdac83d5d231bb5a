/** What one read held of a body. Its memory is its own: the buffer of the read is used again. */
export class BodyPiece {
  /** The payload of the last chunk of the piece; all of it where the body is not chunked. */
  readonly last: Buffer;
  readonly #copy: Buffer;
  readonly #ranges: readonly number[] | null;
  #bytes: Buffer | null;

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
    this.last = ranges === null ? copy : copy.subarray(ranges.at(-2), ranges.at(-1));
    this.#bytes = ranges === null || ranges.length === 2 ? this.last : null;
  }

  /** The payload alone. Put together when it is asked for: who relays the chunks as they are needs it not. */
  get bytes(): Buffer {
    this.#bytes ??= this.#joined(this.#ranges!);
    return this.#bytes;
  }

  /** The chunks as the engine framed them; null when the piece is not made of whole chunks. */
  get framed(): Buffer | null {
    return this.whole ? this.#copy : null;
  }

  #joined(ranges: readonly number[]): Buffer {
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
