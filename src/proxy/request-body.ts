import type { BodyMemory } from './body-memory.js';

// A sender may cut a body into tiny pieces; copied together they cost their bytes, not an object each.
const SMALL = 16 * 1024;
const SEGMENT = 64 * 1024;

/** The bytes of one request body, as they came, in few pieces. Their memory is given back once. */
export class RequestBody {
  static readonly empty = new RequestBody(null);

  #pieces: Buffer[] = [];
  #tail: Buffer | null = null;
  #tailUsed = 0;
  #length = 0;

  constructor(private memory: BodyMemory | null) {}

  get length(): number {
    return this.#length;
  }

  /** The bytes in order. The array is the body's own. */
  get pieces(): readonly Buffer[] {
    this.#closeTail();
    return this.#pieces;
  }

  /** Adds bytes; false when the router holds as many as it may. */
  add(chunk: Buffer): boolean {
    if (this.memory !== null && !this.memory.take(chunk.length)) return false;
    this.#length += chunk.length;
    if (this.#length === chunk.length || chunk.length >= SMALL) {
      this.#closeTail();
      this.#pieces.push(chunk);
      return true;
    }
    let rest = chunk;
    while (rest.length > 0) {
      this.#tail ??= Buffer.allocUnsafeSlow(SEGMENT);
      const copied = rest.copy(this.#tail, this.#tailUsed);
      this.#tailUsed += copied;
      rest = rest.subarray(copied);
      if (this.#tailUsed === SEGMENT) this.#closeTail();
    }
    return true;
  }

  /** The whole body as one buffer; joins the pieces the first time. For small bodies. */
  joined(): Buffer {
    this.#closeTail();
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0] ?? Buffer.alloc(0);
  }

  /** Puts the same bytes back after they were lent to another thread. */
  replacePieces(pieces: Buffer[]): void {
    this.#pieces = pieces;
  }

  /** Drops the bytes and gives their memory back. Safe to call again. */
  release(): void {
    this.memory?.give(this.#length);
    this.memory = null;
    this.#pieces = [];
    this.#tail = null;
  }

  #closeTail(): void {
    if (this.#tail === null) return;
    this.#pieces.push(this.#tail.subarray(0, this.#tailUsed));
    this.#tail = null;
    this.#tailUsed = 0;
  }
}
