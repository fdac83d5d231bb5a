import type { BodyMemory } from './body-memory.js';
import type { SharedMemory } from './shared-memory.js';

/** Bodies up to this size are read at once and kept as they come; larger ones go into shared memory. */
export const SMALL_BODY = 1024 * 1024;

// A sender may cut a body into tiny pieces; copied together they cost their bytes, not an object each.
const SMALL_CHUNK = 16 * 1024;
const JOINT = 64 * 1024;

/** The bytes of one request body, as they came, in few pieces. Their memory is given back once. */
export class RequestBody {
  static readonly empty = new RequestBody(null, null);

  #pieces: Buffer[] = [];
  /** The piece that is being filled, and how far it is. */
  #tail: Buffer | null = null;
  #tailUsed = 0;
  #length = 0;

  /**
   * @param memory counts the bytes; null for bytes that somebody else holds
   * @param shared gives the segments of a large body; null keeps every body as it comes
   */
  constructor(
    private memory: BodyMemory | null,
    private readonly shared: SharedMemory | null,
  ) {}

  get length(): number {
    return this.#length;
  }

  /** Larger than `SMALL_BODY`. */
  get large(): boolean {
    return this.#length > SMALL_BODY;
  }

  /** The bytes in order; in shared memory when the body is large. */
  get pieces(): readonly Buffer[] {
    this.#closeTail();
    return this.#pieces;
  }

  /** Adds bytes; false when the router holds as many as it may. */
  add(chunk: Buffer): boolean {
    if (this.memory !== null && !this.memory.take(chunk.length)) return false;
    const wasLarge = this.large;
    this.#length += chunk.length;
    const { shared } = this;
    if (shared !== null && this.large) {
      if (!wasLarge) this.#moveInto(shared);
      this.#fill(chunk, () => shared.segment());
    } else if (this.#length === chunk.length || chunk.length >= SMALL_CHUNK) {
      this.#closeTail();
      this.#pieces.push(chunk);
    } else this.#fill(chunk, () => Buffer.allocUnsafeSlow(JOINT));
    return true;
  }

  /** The whole body as one buffer; joins the pieces the first time. For small bodies. */
  joined(): Buffer {
    this.#closeTail();
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0] ?? Buffer.alloc(0);
  }

  /** Drops the bytes and gives their memory back. Safe to call again. */
  release(): void {
    this.memory?.give(this.#length);
    this.memory = null;
    this.#pieces = [];
    this.#tail = null;
  }

  /** The body has become large: what came so far moves. */
  #moveInto(shared: SharedMemory): void {
    const before = this.pieces;
    this.#pieces = [];
    for (const piece of before) this.#fill(piece, () => shared.segment());
  }

  #fill(chunk: Buffer, more: () => Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      this.#tail ??= more();
      const copied = rest.copy(this.#tail, this.#tailUsed);
      this.#tailUsed += copied;
      rest = rest.subarray(copied);
      if (this.#tailUsed === this.#tail.length) this.#closeTail();
    }
  }

  #closeTail(): void {
    if (this.#tail === null) return;
    this.#pieces.push(this.#tail.subarray(0, this.#tailUsed));
    this.#tail = null;
    this.#tailUsed = 0;
  }
}
