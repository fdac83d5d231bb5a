/** Bytes of one holding in all arrays, without its share of the buckets. */
const HOLDING_BYTES = 30;
const BUCKET_BYTES = 4;

/** Cells that a table can tell apart. */
export const MOST_CELLS = 65_536;

/**
 * Which cell holds which block: one hash table for all cells, keyed by block name and cell, with a list of all
 * holdings by recency and one for each cell. Everything is O(1) and lies in typed arrays that are reserved at
 * once and never move: the system gives memory to the pages that have been written, so an empty table is small,
 * and growing one never copies. Buckets are added one by one (linear hashing, Litwin 1980), so no insertion pays
 * for a rehash.
 *
 * Holdings are numbers from 1 to `limit`; 0 is none. The lists of all cells and of one cell have the same order.
 * Bound: `maxBytes` for all arrays, but at least one holding.
 */
export class HoldingTable {
  /** Most holdings at once. */
  readonly limit: number;
  readonly #names: Float64Array;
  readonly #cells: Uint16Array;
  /** The next holding of the bucket; of a free holding, the next free one. */
  readonly #chain: Int32Array;
  /** Fleet-wide recency, a ring through 0: the newest is `#older[0]`, the oldest `#newer[0]`. */
  readonly #newer: Int32Array;
  readonly #older: Int32Array;
  /** Recency within a cell; 0 at both ends. */
  readonly #cellNewer: Int32Array;
  readonly #cellOlder: Int32Array;
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
    this.limit = Math.max(1, Math.min(2 ** 30, Math.floor(maxBytes / (HOLDING_BYTES + BUCKET_BYTES)) - 1));
    const length = this.limit + 1;
    this.#names = new Float64Array(length);
    this.#cells = new Uint16Array(length);
    this.#chain = new Int32Array(length);
    this.#newer = new Int32Array(length);
    this.#older = new Int32Array(length);
    this.#cellNewer = new Int32Array(length);
    this.#cellOlder = new Int32Array(length);
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
    return this.#newer[0]!;
  }

  /** Holdings of a cell. */
  count(cell: number): number {
    return cell < this.#counts.length ? this.#counts[cell]! : 0;
  }

  /** The least recent holding of a cell; 0 when there is none. */
  oldestOf(cell: number): number {
    return cell < this.#oldest.length ? this.#oldest[cell]! : 0;
  }

  cellOf(holding: number): number {
    return this.#cells[holding]!;
  }

  /** The holding of a block by a cell; 0 when there is none. */
  find(name: number, cell: number): number {
    const names = this.#names;
    const cells = this.#cells;
    let at = this.#buckets[this.#bucketOf(name, cell)]!;
    while (at !== 0 && (names[at] !== name || cells[at] !== cell)) at = this.#chain[at]!;
    return at;
  }

  /**
   * Adds a holding that is not there yet; the table must not be full.
   * @param after the holding of the same cell that is the next more recent one; 0 makes it the newest of all
   */
  add(name: number, cell: number, after: number): number {
    const holding = this.#free === 0 ? ++this.#begun : this.#free;
    if (this.#free !== 0) this.#free = this.#chain[holding]!;
    this.#size++;
    if (this.#bucketCount < this.#size) this.#splitBucket();
    this.#names[holding] = name;
    this.#cells[holding] = cell;
    const bucket = this.#bucketOf(name, cell);
    this.#chain[holding] = this.#buckets[bucket]!;
    this.#buckets[bucket] = holding;
    if (cell >= this.#counts.length) this.#widen(cell);
    this.#counts[cell]!++;
    this.#link(holding, cell, after);
    return holding;
  }

  /** Makes a holding the next less recent one after `after` (0: the newest of all). */
  touch(holding: number, after: number): void {
    if (holding === after) return;
    const cell = this.#cells[holding]!;
    this.#unlink(holding, cell);
    this.#link(holding, cell, after);
  }

  remove(holding: number): void {
    const cell = this.#cells[holding]!;
    const bucket = this.#bucketOf(this.#names[holding]!, cell);
    const next = this.#chain[holding]!;
    let before = this.#buckets[bucket]!;
    if (before === holding) {
      this.#buckets[bucket] = next;
    } else {
      while (this.#chain[before] !== holding) before = this.#chain[before]!;
      this.#chain[before] = next;
    }
    this.#unlink(holding, cell);
    this.#counts[cell]!--;
    this.#size--;
    this.#chain[holding] = this.#free;
    this.#free = holding;
  }

  /** Cells of one block lie side by side, so that asking all of them reads few lines of memory. */
  #bucketOf(name: number, cell: number): number {
    const hash = ((name | 0) + cell) | 0;
    const bucket = hash & ((this.#mask << 1) | 1);
    return bucket < this.#bucketCount ? bucket : hash & this.#mask;
  }

  /** Adds a bucket and moves into it what belongs there out of the one bucket that it splits. */
  #splitBucket(): void {
    const added = this.#bucketCount;
    if (added > (this.#mask << 1) + 1) this.#mask = (this.#mask << 1) | 1;
    const wide = (this.#mask << 1) | 1;
    let kept = 0;
    let moved = 0;
    for (let at = this.#buckets[added & this.#mask]!; at !== 0;) {
      const next = this.#chain[at]!;
      if ((((this.#names[at]! | 0) + this.#cells[at]!) & wide) === added) {
        this.#chain[at] = moved;
        moved = at;
      } else {
        this.#chain[at] = kept;
        kept = at;
      }
      at = next;
    }
    this.#buckets[added & this.#mask] = kept;
    this.#buckets[added] = moved;
    this.#bucketCount = added + 1;
  }

  #link(holding: number, cell: number, after: number): void {
    const older = this.#older[after]!;
    this.#newer[holding] = after;
    this.#older[holding] = older;
    this.#older[after] = holding;
    this.#newer[older] = holding;
    const next = after === 0 ? this.#newest[cell]! : this.#cellOlder[after]!;
    if (after === 0) this.#newest[cell] = holding;
    else this.#cellOlder[after] = holding;
    this.#cellNewer[holding] = after;
    this.#cellOlder[holding] = next;
    if (next === 0) this.#oldest[cell] = holding;
    else this.#cellNewer[next] = holding;
  }

  #unlink(holding: number, cell: number): void {
    this.#older[this.#newer[holding]!] = this.#older[holding]!;
    this.#newer[this.#older[holding]!] = this.#newer[holding]!;
    const newer = this.#cellNewer[holding]!;
    const older = this.#cellOlder[holding]!;
    if (newer === 0) this.#newest[cell] = older;
    else this.#cellOlder[newer] = older;
    if (older === 0) this.#oldest[cell] = newer;
    else this.#cellNewer[older] = newer;
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
