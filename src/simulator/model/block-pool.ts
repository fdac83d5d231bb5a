import { NameTable } from './name-table.js';

/** No block: the end of a list, or a block without a name. */
const NONE = -1;

/**
 * The blocks of the KV cache: which are in use, which are free, and which full ones can be found again by the
 * name of their content. Free blocks are used again in the order in which they were freed, so the least
 * recently used content goes first; until then a free block that has a name is a hit. Every operation is of
 * constant time for each block.
 *
 * Memory is fixed by the number of blocks; there is at most one name for each.
 */
export class BlockPool {
  readonly size: number;
  readonly #caching: boolean;
  readonly #references: Int32Array;
  readonly #names: Float64Array;
  /** Blocks by name; further blocks with the same content hang on the first one. */
  readonly #byName: NameTable;
  readonly #nextSame: Int32Array;
  readonly #previousSame: Int32Array;
  /** The free list; the last element is its head and its end. */
  readonly #nextFree: Int32Array;
  readonly #previousFree: Int32Array;
  #free = 0;

  /** @param size blocks that can be used, at least 1 */
  constructor(size: number, caching = true) {
    this.size = size;
    this.#caching = caching;
    this.#references = new Int32Array(size);
    this.#names = new Float64Array(size).fill(NONE);
    this.#byName = new NameTable(this.#names);
    this.#nextSame = new Int32Array(size).fill(NONE);
    this.#previousSame = new Int32Array(size).fill(NONE);
    this.#nextFree = new Int32Array(size + 1).fill(size);
    this.#previousFree = new Int32Array(size + 1).fill(size);
    for (let block = 0; block < size; block++) this.#addFree(block);
  }

  /** Blocks that no sequence holds, with or without content that can be found. */
  get free(): number {
    return this.#free;
  }

  /** How many sequences hold a block. */
  references(block: number): number {
    return this.#references[block] as number;
  }

  /** How many names from the first one on have a block, `most` at most. */
  longestChain(names: readonly number[], most: number): number {
    if (!this.#caching) return 0;
    let length = 0;
    while (length < most && this.#byName.get(names[length] as number) !== NONE) length++;
    return length;
  }

  /** As `longestChain`, with the blocks, which take the place of what `into` holds. */
  findChain(names: readonly number[], most: number, into: number[]): void {
    into.length = 0;
    if (!this.#caching) return;
    while (into.length < most) {
      const block = this.#byName.get(names[into.length] as number);
      if (block === NONE) return;
      into.push(block);
    }
  }

  /** Free blocks among these: what a hit takes off the free ones. */
  freeAmong(blocks: readonly number[]): number {
    let free = 0;
    for (const block of blocks) if (this.references(block) === 0) free++;
    return free;
  }

  /** Adds blocks, which must have content, to a sequence's. */
  share(blocks: readonly number[], into: number[]): void {
    for (const block of blocks) {
      const references = this.references(block);
      if (references === 0) this.#removeFree(block);
      this.#references[block] = references + 1;
      into.push(block);
    }
  }

  /** Takes `count` free blocks for a sequence; what they held is forgotten. There must be as many. */
  allocate(count: number, into: number[]): void {
    for (let taken = 0; taken < count; taken++) {
      const block = this.#nextFree[this.size] as number;
      this.#removeFree(block);
      this.#forget(block);
      this.#references[block] = 1;
      into.push(block);
    }
  }

  /** Gives a full block the name of its content. */
  name(block: number, name: number): void {
    if (!this.#caching) return;
    const first = this.#byName.get(name);
    this.#names[block] = name;
    if (first === NONE) {
      this.#byName.set(name, block);
      return;
    }
    const second = this.#nextSame[first] as number;
    this.#nextSame[first] = block;
    this.#previousSame[block] = first;
    this.#nextSame[block] = second;
    if (second !== NONE) this.#previousSame[second] = block;
  }

  /**
   * Gives a sequence's blocks back, the last first: the end of a prompt is less likely to come again. Those of
   * an array in the other order are used anew in that order.
   *
   * @param forget whether the content of those that no other sequence holds is forgotten
   */
  release(blocks: number[], forget = false): void {
    for (let block = blocks.pop(); block !== undefined; block = blocks.pop()) {
      const left = this.references(block) - 1;
      this.#references[block] = left;
      if (left > 0) continue;
      if (forget) this.#forget(block);
      this.#addFree(block);
    }
  }

  /** Forgets all content. False, and nothing is done, while a sequence holds a block. */
  reset(): boolean {
    if (this.#free !== this.size) return false;
    this.#byName.clear();
    this.#names.fill(NONE);
    this.#nextSame.fill(NONE);
    this.#previousSame.fill(NONE);
    return true;
  }

  #forget(block: number): void {
    const name = this.#names[block] as number;
    if (name === NONE) return;
    const previous = this.#previousSame[block] as number;
    const next = this.#nextSame[block] as number;
    if (next !== NONE) this.#previousSame[next] = previous;
    if (previous !== NONE) this.#nextSame[previous] = next;
    else if (next !== NONE) this.#byName.set(name, next);
    else this.#byName.delete(name);
    this.#names[block] = NONE;
    this.#nextSame[block] = NONE;
    this.#previousSame[block] = NONE;
  }

  #addFree(block: number): void {
    const last = this.#previousFree[this.size] as number;
    this.#nextFree[last] = block;
    this.#previousFree[block] = last;
    this.#nextFree[block] = this.size;
    this.#previousFree[this.size] = block;
    this.#free++;
  }

  #removeFree(block: number): void {
    const previous = this.#previousFree[block] as number;
    const next = this.#nextFree[block] as number;
    this.#nextFree[previous] = next;
    this.#previousFree[next] = previous;
    this.#free--;
  }
}
