/** Words of a record, which is half a line of the processor's cache: nearly all that is read of a holding is there. */
const RECORD = 8;
const HOLDING_BYTES = 4 * RECORD;
const BUCKET_BYTES = 4;
/** Offsets in a record. A name is two words. */
const LOW = 0;
const HIGH = 1;
const CELL = 2;
/** The next holding of the bucket; of a free holding, the next free one. */
const CHAIN = 3;
/** Fleet-wide recency, a ring through record 0, whose next older one is the newest of all. */
const NEWER = 4;
const OLDER = 5;
/** Recency within a cell; 0 at both ends. */
const CELL_NEWER = 6;
const CELL_OLDER = 7;

const lowOf = (name: number): number => name | 0;
const highOf = (name: number): number => (name / 2 ** 32) | 0;

/** The places of records have to be 31-bit integers. */
const MOST_HOLDINGS = 2 ** 27;

/** Cells that a table can tell apart. */
export const MOST_CELLS = 65_536;

/**
 * Which cell holds which block: one hash table for all cells, keyed by block name and cell, with a list of all
 * holdings by recency and one for each cell. Everything is O(1) and lies in two typed arrays that are reserved
 * at once and never move: the system gives memory to the pages that have been written, so an empty table is small,
 * and growing one never copies. Buckets are added one by one (linear hashing, Litwin 1980), so no insertion pays
 * for a rehash.
 *
 * A holding is the place of its record; 0 is none. The lists of all cells and of one cell have the same order.
 * Bound: `maxBytes` for all arrays, but at least one holding.
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
  // By cell; they grow with the highest cell in use.
  #newest = new Int32Array(64);
  #oldest = new Int32Array(64);
  #counts = new Int32Array(64);

  constructor(maxBytes: number) {
    const fitting = Math.floor(maxBytes / (HOLDING_BYTES + BUCKET_BYTES)) - 1;
    this.limit = Math.max(1, Math.min(MOST_HOLDINGS, fitting));
    const length = this.limit + 1;
    this.#records = new Int32Array(RECORD * length);
    this.#buckets = new Int32Array(length);
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

  /** Holdings of a cell. */
  count(cell: number): number {
    return cell < this.#counts.length ? this.#counts[cell]! : 0;
  }

  /** The least recent holding of a cell; 0 when there is none. */
  oldestOf(cell: number): number {
    return cell < this.#oldest.length ? this.#oldest[cell]! : 0;
  }

  /** The holding of a block by a cell; 0 when there is none. */
  find(name: number, cell: number): number {
    const records = this.#records;
    const [low, high] = [lowOf(name), highOf(name)];
    let at = this.#buckets[this.#bucketOf(low, cell)]!;
    while (at !== 0 && (records[at] !== low || records[at + HIGH] !== high || records[at + CELL] !== cell)) {
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
    if (cell >= this.#counts.length) this.#widen(cell);
    this.#counts[cell]!++;
    this.#link(holding, cell, after);
    return holding;
  }

  /** Makes a holding the next less recent one after `after` (0: the newest of all). */
  touch(holding: number, after: number): void {
    if (holding === after) return;
    const cell = this.#records[holding + CELL]!;
    this.#unlink(holding, cell);
    this.#link(holding, cell, after);
  }

  remove(holding: number): void {
    const records = this.#records;
    const cell = records[holding + CELL]!;
    const bucket = this.#bucketOf(records[holding + LOW]!, cell);
    const next = records[holding + CHAIN]!;
    let before = this.#buckets[bucket]!;
    if (before === holding) {
      this.#buckets[bucket] = next;
    } else {
      while (records[before + CHAIN] !== holding) before = records[before + CHAIN]!;
      records[before + CHAIN] = next;
    }
    this.#unlink(holding, cell);
    this.#counts[cell]!--;
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
      const moves = ((records[at + LOW]! + records[at + CELL]!) & wide) === added;
      records[at + CHAIN] = moves ? moved : kept;
      if (moves) moved = at;
      else kept = at;
      at = next;
    }
    this.#buckets[added & this.#mask] = kept;
    this.#buckets[added] = moved;
    this.#bucketCount = added + 1;
  }

  #link(holding: number, cell: number, after: number): void {
    const records = this.#records;
    const older = records[after + OLDER]!;
    records[holding + NEWER] = after;
    records[holding + OLDER] = older;
    records[after + OLDER] = holding;
    records[older + NEWER] = holding;
    const next = after === 0 ? this.#newest[cell]! : records[after + CELL_OLDER]!;
    if (after === 0) this.#newest[cell] = holding;
    else records[after + CELL_OLDER] = holding;
    records[holding + CELL_NEWER] = after;
    records[holding + CELL_OLDER] = next;
    if (next === 0) this.#oldest[cell] = holding;
    else records[next + CELL_NEWER] = holding;
  }

  #unlink(holding: number, cell: number): void {
    const records = this.#records;
    records[records[holding + NEWER]! + OLDER] = records[holding + OLDER]!;
    records[records[holding + OLDER]! + NEWER] = records[holding + NEWER]!;
    const newer = records[holding + CELL_NEWER]!;
    const older = records[holding + CELL_OLDER]!;
    if (newer === 0) this.#newest[cell] = older;
    else records[newer + CELL_OLDER] = older;
    if (older === 0) this.#oldest[cell] = newer;
    else records[older + CELL_NEWER] = newer;
  }

  #widen(cell: number): void {
    const length = Math.min(MOST_CELLS, 2 ** Math.ceil(Math.log2(cell + 1)));
    const wider = (from: Int32Array): Int32Array<ArrayBuffer> => {
      const to = new Int32Array(length);
      to.set(from);
      return to;
    };
    this.#newest = wider(this.#newest);
    this.#oldest = wider(this.#oldest);
    this.#counts = wider(this.#counts);
  }
}
