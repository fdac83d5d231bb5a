import { HoldingTable, MOST_CELLS } from './holding-table.js';

/** Engines at once; as many cells again are left for what engines have lost and is not yet removed. */
const MOST_SLOTS = MOST_CELLS / 2;
/** Stale holdings that one insertion removes besides its own work; about 20 us. */
const SWEEP = 128;
/** Holdings that lowering a capacity removes at once; the others go with later insertions. */
const TRIM = 4_096;

export interface PrefixIndexOptions {
  /** Bytes of all tables at most. */
  readonly maxBytes: number;
}

/**
 * Which engine is believed to hold which blocks of prompts in its prefix cache: one table for the whole fleet.
 *
 * A block's name stands for all that lies before it, and an engine drops the end of a prompt before its begin
 * (vLLM frees a sequence's blocks in reverse order, so the last ones are reused first). Likewise here: the first
 * block of a chain is always the most recent, and only the least recent block of an engine is dropped. So an
 * engine that holds a block holds all before it, and `match` may search instead of walking.
 *
 * Bounds: `maxBytes` over all engines, beyond which the least recent blocks of all go first; a capacity for each
 * engine; 32,768 engines.
 */
export class PrefixIndex {
  readonly #table: HoldingTable;
  readonly #slots = new Map<string, number>();
  readonly #freeSlots: number[] = [];
  /** By slot: the cell of the table that is its own now; a cleared slot moves on to an empty one. */
  readonly #cells: number[] = [];
  readonly #capacities: number[] = [];
  readonly #freeCells: number[] = [];
  #cellsBegun = 0;
  /** Cells that no slot owns any more, to be emptied bit by bit. */
  readonly #stale: number[] = [];

  constructor(options: PrefixIndexOptions) {
    this.#table = new HoldingTable(options.maxBytes);
  }

  /** Blocks that are held; one that two engines hold counts twice. */
  get blocks(): number {
    let stale = 0;
    for (const cell of this.#stale) stale += this.#table.count(cell);
    return this.#table.size - stale;
  }

  /** Bytes of all tables that are or have been in use. */
  get bytes(): number {
    return this.#table.bytes;
  }

  /** Blocks that fit into `maxBytes`. */
  get limit(): number {
    return this.#table.limit;
  }

  /** Blocks that the engine is believed to hold. */
  holdings(slot: number): number {
    const cell = this.#cellOf(slot);
    return cell < 0 ? 0 : this.#table.count(cell);
  }

  /**
   * The number of an engine, the same until `drop`; numbers are used again.
   * @throws {RangeError} with more than 32,768 engines at once
   */
  slotOf(engineId: string): number {
    const known = this.#slots.get(engineId);
    if (known !== undefined) return known;
    if (this.#slots.size >= MOST_SLOTS) throw new RangeError(`more than ${MOST_SLOTS} engines`);
    const slot = this.#freeSlots.pop() ?? this.#cells.length;
    this.#slots.set(engineId, slot);
    this.#cells[slot] = this.#emptyCell();
    this.#capacities[slot] = Number.POSITIVE_INFINITY;
    return slot;
  }

  /** Forgets an engine and all that it holds; O(1). */
  drop(engineId: string): void {
    const slot = this.#slots.get(engineId);
    if (slot === undefined) return;
    this.#abandon(this.#cells[slot]!);
    // Asked by a number that it no longer has, the index knows nothing.
    this.#cells[slot] = -1;
    this.#slots.delete(engineId);
    this.#freeSlots.push(slot);
  }

  /** The engine has lost its cache: it restarted, sleeps, or was told to reset it; O(1). */
  clear(slot: number): void {
    const cell = this.#cellOf(slot);
    if (cell < 0 || this.#table.count(cell) === 0) return;
    this.#abandon(cell);
    this.#cells[slot] = this.#emptyCell();
  }

  /** Blocks that the engine's cache holds at most; those beyond it go, least recent first. */
  setCapacity(slot: number, blocks: number): void {
    const cell = this.#cellOf(slot);
    if (cell < 0 || !(blocks >= 0)) return;
    this.#capacities[slot] = Math.floor(blocks);
    this.#trim(cell, Math.floor(blocks), TRIM);
  }

  /** For each slot how many leading blocks of `names` it holds, written to the same place of `into`. */
  match(names: Float64Array, slots: ArrayLike<number>, into: Uint32Array): void {
    // Engines often hold the same prefix, so the depth of the one before is the first guess for the next.
    let depth = 0;
    for (let at = 0; at < slots.length; at++) {
      const cell = this.#cellOf(slots[at]!);
      const held = cell < 0 ? 0 : this.#depth(names, cell, depth);
      into[at] = held;
      if (held > 0) depth = held;
    }
  }

  /**
   * The engine now holds these blocks, the first one as the most recent of all. Only as many leading blocks as its
   * cache can hold are taken. Returns how many were new.
   * @param count leading blocks of `names` to take; all without it
   */
  insert(slot: number, names: Float64Array, count = names.length): number {
    const cell = this.#cellOf(slot);
    if (cell < 0) return 0;
    const table = this.#table;
    const capacity = Math.min(this.#capacities[slot]!, table.limit);
    this.#sweep();
    this.#trim(cell, capacity, SWEEP);
    const wanted = Math.min(count, names.length, capacity);
    let added = 0;
    let before = 0;
    for (let at = 0; at < wanted; at++) {
      const name = names[at]!;
      const held = table.find(name, cell);
      if (held !== 0) {
        table.touch(held, before);
        before = held;
        continue;
      }
      // What this chain has placed so far is the most recent of all, so it is never what goes.
      if (table.count(cell) >= capacity) table.remove(table.oldestOf(cell));
      else if (table.size >= table.limit) table.remove(table.oldest);
      before = table.add(name, cell, before);
      added++;
    }
    return added;
  }

  /** The cell of a slot; -1 for a number that no engine has. */
  #cellOf(slot: number): number {
    return this.#cells[slot] ?? -1;
  }

  /** Leading blocks that a cell holds, by doubling steps from a guess and halving ones. */
  #depth(names: Float64Array, cell: number, guess: number): number {
    const table = this.#table;
    const size = names.length;
    // Between `low` blocks, which are held, and `high`, which are not (or are more than there are).
    let low = 0;
    let high = size + 1;
    let step = 1;
    const first = Math.max(1, Math.min(guess, size));
    let probe = first;
    while (high - low > 1) {
      if (table.find(names[probe - 1]!, cell) !== 0) {
        low = probe;
        probe = high > size ? Math.min(size, low + step) : (low + high) >>> 1;
        step *= 2;
        if (low === size) break;
      } else {
        high = probe;
        // Most engines that lack the guess lack everything: the first block decides.
        probe = low === 0 && probe === first && first > 1 ? 1 : Math.max(1, (low + high) >>> 1);
      }
    }
    return low;
  }

  #trim(cell: number, capacity: number, most: number): void {
    for (let left = most; left > 0 && this.#table.count(cell) > capacity; left--) {
      this.#table.remove(this.#table.oldestOf(cell));
    }
  }

  #abandon(cell: number): void {
    if (this.#table.count(cell) === 0) this.#freeCells.push(cell);
    else this.#stale.push(cell);
  }

  /** Removes a few holdings of cells that no slot owns. */
  #sweep(): void {
    for (let left = SWEEP; left > 0 && this.#stale.length > 0; left--) {
      const cell = this.#stale.at(-1)!;
      const oldest = this.#table.oldestOf(cell);
      if (oldest !== 0) this.#table.remove(oldest);
      if (this.#table.count(cell) === 0) this.#freeCells.push(this.#stale.pop()!);
    }
  }

  #emptyCell(): number {
    const free = this.#freeCells.pop();
    if (free !== undefined) return free;
    if (this.#cellsBegun < MOST_CELLS) return this.#cellsBegun++;
    // More clears than insertions could follow up: one cell is emptied here and now.
    const cell = this.#stale.pop()!;
    this.#trim(cell, 0, this.#table.limit);
    return cell;
  }
}
