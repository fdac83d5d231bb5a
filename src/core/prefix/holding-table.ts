import { CellLists } from './cell-lists.js';
import {
  CELL,
  CELL_MASK,
  CHAIN,
  HIGH,
  KEPT,
  LOW,
  MOST_HOLDS,
  NEWER,
  OLDER,
  ONE_HOLD,
  RECORD,
  highOf,
  lowOf,
} from './holding-record.js';

const HOLDING_BYTES = 4 * RECORD;
const BUCKET_BYTES = 4;
/** The places of records have to be 31-bit integers. */
const MOST_HOLDINGS = 2 ** 27;

/**
 * Which cell holds which block: one hash table for all cells, keyed by block name and cell, with a list of all
 * holdings by recency and two for each cell: of what was used lately, and of what is kept because requests hold it.
 * Everything is O(1) and lies in two typed arrays that are reserved at once and never move: the system gives memory to
 * the pages that have been written, so an empty table is small, and growing one never copies. Buckets are added one by
 * one (linear hashing, Litwin 1980), so no insertion pays for a rehash.
 *
 * A holding is the place of its record; 0 is none. Bound: `maxBytes` for all arrays, but at least one holding.
 */
export class HoldingTable {
  /** Most holdings at once. */
  readonly limit: number;
  readonly #records: Int32Array;
  /** The first holding of each bucket. */
  readonly #buckets: Int32Array;
  #bucketCount = 1;
  /** One less than the power of two from which the buckets are being split. */
  #mask = 0;
  #free = 0;
  /** Holdings that have been in use at some time. */
  #begun = 0;
  #size = 0;
  readonly #lists: CellLists;

  constructor(maxBytes: number) {
    const fitting = Math.floor(maxBytes / (HOLDING_BYTES + BUCKET_BYTES)) - 1;
    this.limit = Math.max(1, Math.min(MOST_HOLDINGS, fitting));
    const length = this.limit + 1;
    this.#records = new Int32Array(RECORD * length);
    this.#buckets = new Int32Array(length);
    this.#lists = new CellLists(this.#records);
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes that have been written to, which is what the process has memory for. */
  get bytes(): number {
    return this.#begun * HOLDING_BYTES + this.#bucketCount * BUCKET_BYTES;
  }

  /** The least recent holding of all; 0 when there is none. */
  get oldest(): number {
    return this.#records[NEWER]!;
  }

  /** Holdings of a cell, without those that are kept. */
  recent(cell: number): number {
    return this.#lists.recent(cell);
  }

  /** All holdings of a cell. */
  count(cell: number): number {
    return this.#lists.recent(cell) + this.#lists.kept(cell);
  }

  /** Requests that hold the block there; 0 for no holding. */
  holdsOf(holding: number): number {
    return (this.#records[holding + CELL]! >>> 16) & MOST_HOLDS;
  }

  isKept(holding: number): boolean {
    return this.#records[holding + CELL]! >= KEPT;
  }

  /** The holding of a block by a cell; 0 when there is none. */
  find(name: number, cell: number): number {
    const records = this.#records;
    const [low, high] = [lowOf(name), highOf(name)];
    let at = this.#buckets[this.#bucketOf(low, cell)]!;
    while (
      at !== 0 &&
      (records[at] !== low || records[at + HIGH] !== high || (records[at + CELL]! & CELL_MASK) !== cell)
    ) {
      at = records[at + CHAIN]!;
    }
    return at;
  }

  /**
   * Adds a holding that is not there yet; the table must not be full.
   * @param after the holding of the same cell that is the next more recent one; 0 makes it the newest of all
   */
  add(name: number, cell: number, after: number): number {
    const records = this.#records;
    const holding = this.#free === 0 ? RECORD * ++this.#begun : this.#free;
    if (this.#free !== 0) this.#free = records[holding + CHAIN]!;
    this.#size++;
    if (this.#bucketCount < this.#size) this.#splitBucket();
    const low = lowOf(name);
    records[holding + LOW] = low;
    records[holding + HIGH] = highOf(name);
    records[holding + CELL] = cell;
    const bucket = this.#bucketOf(low, cell);
    records[holding + CHAIN] = this.#buckets[bucket]!;
    this.#buckets[bucket] = holding;
    this.#link(holding, after);
    this.#lists.put(holding, after);
    return holding;
  }

  /** Makes a holding, kept or not, the next less recent one after `after` (0: the newest of all). */
  touch(holding: number, after: number): void {
    if (holding === after) return;
    this.#unlink(holding);
    this.#lists.take(holding);
    if (this.isKept(holding)) this.#records[holding + CELL]! -= KEPT;
    this.#link(holding, after);
    this.#lists.put(holding, after);
  }

  /** One request more, 1, or less, -1, holds it; never fewer than none, nor more than can be counted. */
  changeHolds(holding: number, by: 1 | -1): void {
    const holds = this.holdsOf(holding) + by;
    if (holds >= 0 && holds <= MOST_HOLDS) this.#records[holding + CELL]! += by * ONE_HOLD;
  }

  /** One request less holds it, which it may have been kept for. 0 is no holding. */
  letGo(holding: number): void {
    if (holding === 0) return;
    this.changeHolds(holding, -1);
    if (this.isKept(holding) && this.holdsOf(holding) === 0) this.remove(holding);
  }

  /** Of a cell that has recent holdings: its least recent one goes, or is kept where requests hold it. */
  evict(cell: number): void {
    const holding = this.#lists.oldestRecent(cell);
    if (this.holdsOf(holding) === 0) return this.remove(holding);
    this.#lists.take(holding);
    this.#records[holding + CELL]! += KEPT;
    this.#lists.put(holding, 0);
  }

  /** Removes one of the holdings of a cell, those last that are kept. */
  removeAny(cell: number): void {
    this.remove(this.#lists.oldestRecent(cell) || this.#lists.oldestKept(cell));
  }

  remove(holding: number): void {
    const records = this.#records;
    const cell = records[holding + CELL]! & CELL_MASK;
    const bucket = this.#bucketOf(records[holding + LOW]!, cell);
    const next = records[holding + CHAIN]!;
    let before = this.#buckets[bucket]!;
    if (before === holding) {
      this.#buckets[bucket] = next;
    } else {
      while (records[before + CHAIN] !== holding) before = records[before + CHAIN]!;
      records[before + CHAIN] = next;
    }
    this.#unlink(holding);
    this.#lists.take(holding);
    this.#size--;
    records[holding + CHAIN] = this.#free;
    this.#free = holding;
  }

  /** Cells of one block lie side by side, so that asking all of them reads few lines of memory. */
  #bucketOf(low: number, cell: number): number {
    const hash = (low + cell) | 0;
    const bucket = hash & ((this.#mask << 1) | 1);
    return bucket < this.#bucketCount ? bucket : hash & this.#mask;
  }

  /** Adds a bucket and moves into it what belongs there out of the one bucket that it splits. */
  #splitBucket(): void {
    const records = this.#records;
    const added = this.#bucketCount;
    if (added > (this.#mask << 1) + 1) this.#mask = (this.#mask << 1) | 1;
    const wide = (this.#mask << 1) | 1;
    let kept = 0;
    let moved = 0;
    for (let at = this.#buckets[added & this.#mask]!; at !== 0;) {
      const next = records[at + CHAIN]!;
      const moves = ((records[at + LOW]! + (records[at + CELL]! & CELL_MASK)) & wide) === added;
      records[at + CHAIN] = moves ? moved : kept;
      if (moves) moved = at;
      else kept = at;
      at = next;
    }
    this.#buckets[added & this.#mask] = kept;
    this.#buckets[added] = moved;
    this.#bucketCount = added + 1;
  }

  #link(holding: number, after: number): void {
    const records = this.#records;
    const older = records[after + OLDER]!;
    records[holding + NEWER] = after;
    records[holding + OLDER] = older;
    records[after + OLDER] = holding;
    records[older + NEWER] = holding;
  }

  #unlink(holding: number): void {
    const records = this.#records;
    records[records[holding + NEWER]! + OLDER] = records[holding + OLDER]!;
    records[records[holding + OLDER]! + NEWER] = records[holding + NEWER]!;
  }
}
