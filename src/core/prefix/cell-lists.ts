import { CELL, CELL_MASK, CELL_NEWER, CELL_OLDER, KEPT, MOST_CELLS } from './holding-record.js';

/** A cell has two lists: of what was used lately, and of what is kept because requests hold it. */
const listOf = (word: number): number => ((word & CELL_MASK) << 1) | (word >= KEPT ? 1 : 0);

/** The lists of the holdings of each cell, by recency, through words of their records. All but growing is O(1). */
export class CellLists {
  // By list; they grow with the highest cell in use.
  #newest = new Int32Array(128);
  #oldest = new Int32Array(128);
  #counts = new Int32Array(128);

  constructor(private readonly records: Int32Array) {}

  /** How many are not kept. */
  recent(cell: number): number {
    const list = cell << 1;
    return list < this.#counts.length ? this.#counts[list]! : 0;
  }

  kept(cell: number): number {
    const list = (cell << 1) | 1;
    return list < this.#counts.length ? this.#counts[list]! : 0;
  }

  /** The least recent one that is not kept; 0 when there is none. */
  oldestRecent(cell: number): number {
    return this.recent(cell) === 0 ? 0 : this.#oldest[cell << 1]!;
  }

  oldestKept(cell: number): number {
    return this.kept(cell) === 0 ? 0 : this.#oldest[(cell << 1) | 1]!;
  }

  /**
   * Puts a holding into the list that its record says.
   * @param after the next more recent one of that list; 0 makes it the newest
   */
  put(holding: number, after: number): void {
    const { records } = this;
    const list = listOf(records[holding + CELL]!);
    if (list >= this.#counts.length) this.#widen(list);
    const next = after === 0 ? this.#newest[list]! : records[after + CELL_OLDER]!;
    if (after === 0) this.#newest[list] = holding;
    else records[after + CELL_OLDER] = holding;
    records[holding + CELL_NEWER] = after;
    records[holding + CELL_OLDER] = next;
    if (next === 0) this.#oldest[list] = holding;
    else records[next + CELL_NEWER] = holding;
    this.#counts[list]!++;
  }

  /** Takes a holding out of its list. */
  take(holding: number): void {
    const { records } = this;
    const list = listOf(records[holding + CELL]!);
    const newer = records[holding + CELL_NEWER]!;
    const older = records[holding + CELL_OLDER]!;
    if (newer === 0) this.#newest[list] = older;
    else records[newer + CELL_OLDER] = older;
    if (older === 0) this.#oldest[list] = newer;
    else records[older + CELL_NEWER] = newer;
    this.#counts[list]!--;
  }

  #widen(list: number): void {
    const length = Math.min(2 * MOST_CELLS, 2 ** Math.ceil(Math.log2(list + 2)));
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
