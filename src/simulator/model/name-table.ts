// Looked up once: inside a module of jest each use of a global costs more than the multiplication.
const { imul } = Math;

const EMPTY = -1;

/**
 * Finds one block for each name: a hash table with linear probing over typed arrays, several times faster than
 * a `Map` with numbers that are no small integers. The names themselves stay with the blocks.
 *
 * Bounds: two to four places of four bytes for each block; there are never more names than blocks.
 */
export class NameTable {
  /** By block; the owner writes it before `set` and after `delete`. */
  readonly #names: Float64Array;
  readonly #blocks: Int32Array;
  readonly #mask: number;
  readonly #shift: number;
  #size = 0;

  /** @param names the name of each block */
  constructor(names: Float64Array) {
    this.#names = names;
    const bits = Math.ceil(Math.log2(names.length + 1)) + 1;
    this.#mask = 2 ** bits - 1;
    this.#shift = 32 - bits;
    this.#blocks = new Int32Array(2 ** bits).fill(EMPTY);
  }

  get size(): number {
    return this.#size;
  }

  /** The block with that name; -1 when there is none. */
  get(name: number): number {
    const blocks = this.#blocks;
    const names = this.#names;
    for (let at = this.#home(name); ; at = (at + 1) & this.#mask) {
      const block = blocks[at] as number;
      if (block === EMPTY || names[block] === name) return block;
    }
  }

  /** Makes `block`, which has that name, the one that is found by it. */
  set(name: number, block: number): void {
    const at = this.#placeOf(name);
    if (this.#blocks[at] === EMPTY) this.#size++;
    this.#blocks[at] = block;
  }

  /** Forgets a name that is there. */
  delete(name: number): void {
    const blocks = this.#blocks;
    let hole = this.#placeOf(name);
    this.#size--;
    // What stands behind it, and was pushed past it, moves up: no search ends before its end.
    for (let at = (hole + 1) & this.#mask; blocks[at] !== EMPTY; at = (at + 1) & this.#mask) {
      const home = this.#home(this.#names[blocks[at] as number] as number);
      if (((at - home) & this.#mask) < ((at - hole) & this.#mask)) continue;
      blocks[hole] = blocks[at] as number;
      hole = at;
    }
    blocks[hole] = EMPTY;
  }

  clear(): void {
    this.#blocks.fill(EMPTY);
    this.#size = 0;
  }

  /** Where the name stands, or would stand. */
  #placeOf(name: number): number {
    let at = this.#home(name);
    for (; this.#blocks[at] !== EMPTY; at = (at + 1) & this.#mask) {
      if (this.#names[this.#blocks[at] as number] === name) break;
    }
    return at;
  }

  #home(name: number): number {
    return imul(name | 0, 0x9e3779b1) >>> this.#shift;
  }
}
