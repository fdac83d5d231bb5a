import { MOST_CELLS, MOST_HOLDS } from './holding-record.js';
import { HoldingTable } from './holding-table.js';

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
 * Blocks of requests in flight are kept when they are the least recent: an engine has those of what it runs (vLLM counts
 * references), and will have those of what waits there when what comes after it is computed.
 *
 * Bounds: `maxBytes` over all engines, beyond which the least recent blocks of all go first, in flight or not; for
 * each engine a capacity, and what is kept beside it, which lies in its requests in flight; 32,768 engines.
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
    return this.#place(slot, names, count, 1, 0);
  }

  /**
   * As `insert`, for a request that was sent there: its blocks are kept until `release`. Returns how many leading ones
   * those are: none of a prompt whose first block 16,383 requests hold.
   */
  hold(slot: number, names: Float64Array): number {
    const cell = this.#cellOf(slot);
    if (cell < 0 || names.length === 0) return 0;
    const full = this.#table.holdsOf(this.#table.find(names[0]!, cell)) >= MOST_HOLDS;
    const held = full ? 0 : Math.min(names.length, this.#capacityOf(slot));
    this.#place(slot, names, names.length, 1, held);
    return held;
  }

  /**
   * The request is over, and the engine frees its blocks: they are the most recent now.
   * @param names of its prompt, or of prompt and answer, which are taken as by `insert`
   * @param held what `hold` has returned for the prompt; 0 where the engine was cleared since then
   */
  release(slot: number, names: Float64Array, held: number): void {
    this.#place(slot, names, names.length, -1, held);
  }

  #capacityOf(slot: number): number {
    return Math.min(this.#capacities[slot]!, this.#table.limit);
  }

  /** Takes leading blocks as the most recent; one request more or less holds the first `changed` of them. */
  #place(slot: number, names: Float64Array, count: number, change: 1 | -1, changed: number): number {
    const cell = this.#cellOf(slot);
    if (cell < 0) return 0;
    const table = this.#table;
    const capacity = this.#capacityOf(slot);
    this.#sweep();
    this.#trim(cell, capacity, SWEEP);
    const wanted = Math.min(count, names.length, capacity);
    let added = 0;
    let before = 0;
    for (let at = 0; at < wanted; at++) {
      const name = names[at]!;
      let one = table.find(name, cell);
      // What this chain has placed so far is the most recent of all, so it is never what goes.
      if ((one === 0 || table.isKept(one)) && table.recent(cell) >= capacity) table.evict(cell);
      if (one !== 0) {
        table.touch(one, before);
      } else {
        if (table.size >= table.limit) table.remove(table.oldest);
        one = table.add(name, cell, before);
        added++;
      }
      if (at < changed) table.changeHolds(one, change);
      before = one;
    }
    for (let at = wanted; at < changed; at++) table.letGo(table.find(names[at]!, cell));
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
    for (let left = most; left > 0 && this.#table.recent(cell) > capacity; left--) this.#table.evict(cell);
  }

  #abandon(cell: number): void {
    if (this.#table.count(cell) === 0) this.#freeCells.push(cell);
    else this.#stale.push(cell);
  }

  /** Removes a few holdings of cells that no slot owns. */
  #sweep(): void {
    for (let left = SWEEP; left > 0 && this.#stale.length > 0; left--) {
      const cell = this.#stale.at(-1)!;
      if (this.#table.count(cell) > 0) this.#table.removeAny(cell);
      if (this.#table.count(cell) === 0) this.#freeCells.push(this.#stale.pop()!);
    }
  }

  #emptyCell(): number {
    const free = this.#freeCells.pop();
    if (free !== undefined) return free;
    if (this.#cellsBegun < MOST_CELLS) return this.#cellsBegun++;
    // More clears than insertions could follow up: one cell is emptied here and now.
    const cell = this.#stale.pop()!;
    while (this.#table.count(cell) > 0) this.#table.removeAny(cell);
    return cell;
  }
}
