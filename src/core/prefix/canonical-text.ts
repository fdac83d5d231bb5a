import { BLOCK_BYTES, type ChainState, MOST_BLOCKS, nameBlocks } from './block-names.js';

/** Bytes that can be named. */
const MOST_BYTES = BLOCK_BYTES * MOST_BLOCKS;
/** Bytes of an image or a sound that are looked at; its length counts beside them. */
const MOST_MEDIA_BYTES = 262_144;
/** Bytes of all media of a prompt that are looked at, and of each when these are used up. */
const MEDIA_BYTES_OF_ALL = 1_048_576;
const LEAST_MEDIA_BYTES = 2_048;
/**
 * Bytes that an image, a sound or a video stands for: 512 tokens at 4 bytes each, as vision models spend some
 * hundreds to thousands of tokens on an image.
 */
const MEDIA_STANDS_FOR = 2_048;
/** Values of a body that are looked at; what lies behind them is not read. */
const MOST_STEPS = 12_288;
/** Units of a long text from which its length in bytes is guessed. */
const SAMPLE = 256;

/** Bytes that separate the parts of canonical text; none of them occurs in UTF-8. */
export const MARK = {
  tools: 0xf8,
  message: 0xf9,
  name: 0xfa,
  content: 0xfb,
  part: 0xfc,
  calls: 0xfd,
  value: 0xfe,
  end: 0xff,
} as const;

/** Bytes of a text in UTF-8: exact for short ones, from a sample for long ones, so that it costs the same for all. */
function roughSize(text: string): number {
  if (text.length <= SAMPLE) return Buffer.byteLength(text);
  return Math.round((Buffer.byteLength(text.slice(0, SAMPLE)) / SAMPLE) * text.length);
}

/**
 * Canonical text of a prompt while it is written: UTF-8 with marks between its parts, in memory that is reserved
 * once for each thread. What is beyond its bound is not written and only counts.
 */
export class CanonicalText {
  readonly #bytes: Buffer;
  readonly #words: Int32Array;
  #limit: number;
  /** Where media are written to be hashed; absent within it. */
  readonly #media: CanonicalText | null;
  #length = 0;
  #beyond = 0;
  #steps = 0;
  /** Bytes of media that have been looked at. */
  #mediaBytes = 0;
  #seed: ChainState | null = null;
  readonly #stamp = new DataView(new ArrayBuffer(12));

  /** @param nested the text that media of another one are written to */
  constructor(nested = false) {
    this.#limit = nested ? MOST_MEDIA_BYTES : MOST_BYTES;
    const memory = new ArrayBuffer(this.#limit);
    this.#bytes = Buffer.from(memory);
    this.#words = new Int32Array(memory);
    this.#media = nested ? null : new CanonicalText(true);
  }

  /** Begins an empty text; media are hashed from `seed` on. */
  begin(seed: ChainState): void {
    this.#length = 0;
    this.#beyond = 0;
    this.#steps = 0;
    this.#mediaBytes = 0;
    this.#seed = seed;
  }

  /** Bytes that are written. */
  get length(): number {
    return this.#length;
  }

  /** Bytes of the whole text; an estimate of what is beyond the bound. */
  get size(): number {
    return this.#length + this.#beyond;
  }

  /** The written bytes as words, four each. */
  get words(): Int32Array {
    return this.#words;
  }

  /** Whether everything has been written, so that the text may go on. */
  get whole(): boolean {
    return this.#beyond === 0 && !this.spent;
  }

  /** Whether media are written apart here. */
  get takesMedia(): boolean {
    return this.#media !== null;
  }

  /** Whether as many values as are looked at have been. */
  get spent(): boolean {
    return this.#steps >= MOST_STEPS;
  }

  /** Counts a value that is looked at; false when there have been enough. */
  step(): boolean {
    return ++this.#steps <= MOST_STEPS;
  }

  /** A copy of the bytes behind the last full block. */
  rest(): Uint8Array {
    return Uint8Array.from(this.#bytes.subarray(this.#length - (this.#length % BLOCK_BYTES), this.#length));
  }

  mark(byte: number): void {
    if (this.#beyond === 0 && this.#length < this.#limit) this.#bytes[this.#length++] = byte;
    else this.#beyond++;
  }

  raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(text: string): void {
    const room = this.#beyond === 0 ? this.#limit - this.#length : 0;
    const written = room === 0 ? 0 : this.#bytes.write(text, this.#length, room);
    this.#length += written;
    // The last character may not fit; nothing may follow a text that was cut.
    if (written >= room - 3 && text.length > 0) this.#beyond += Math.max(1, roughSize(text) - written);
  }

  /** An image, a sound or the like: the hash of what `write` writes, as long as what it may cost in tokens. */
  media(write: (to: CanonicalText) => void): void {
    const media = this.#media;
    if (media === null || this.#seed === null) return;
    if (this.#beyond > 0 || this.#limit - this.#length < MEDIA_STANDS_FOR) {
      this.#beyond += MEDIA_STANDS_FOR;
      return;
    }
    const left = Math.max(LEAST_MEDIA_BYTES, MEDIA_BYTES_OF_ALL - this.#mediaBytes);
    media.#limit = Math.min(MOST_MEDIA_BYTES, left);
    media.begin(this.#seed);
    write(media);
    this.#mediaBytes += media.#length;
    this.#steps += media.#steps;
    this.#stamp.setFloat64(0, media.#name(this.#seed));
    this.#stamp.setInt32(8, media.size);
    this.#bytes.fill(0, this.#length, this.#length + MEDIA_STANDS_FOR);
    this.#bytes.set(new Uint8Array(this.#stamp.buffer), this.#length);
    this.#length += MEDIA_STANDS_FOR;
  }

  #name(seed: ChainState): number {
    const blocks = Math.ceil(this.#length / BLOCK_BYTES);
    this.#bytes.fill(0, this.#length, blocks * BLOCK_BYTES);
    const names = new Float64Array(Math.max(1, blocks));
    nameBlocks(Int32Array.from(seed), this.#words, blocks, names, 0);
    return names.at(-1)!;
  }
}
