/** Words of a record, which is half a line of the processor's cache: nearly all that is read of a holding is there. */
export const RECORD = 8;
/** Offsets in a record. A name is two words. */
export const LOW = 0;
export const HIGH = 1;
/** The cell; above it how many requests hold the block there; and whether it is kept for them alone. */
export const CELL = 2;
/** The next holding of the bucket; of a free holding, the next free one. */
export const CHAIN = 3;
/** Fleet-wide recency, a ring through record 0, whose next older one is the newest of all. */
export const NEWER = 4;
export const OLDER = 5;
/** Place in a list of the cell; 0 at both ends. */
export const CELL_NEWER = 6;
export const CELL_OLDER = 7;

/** Cells that can be told apart. */
export const MOST_CELLS = 65_536;
export const CELL_MASK = MOST_CELLS - 1;
/** Requests that can hold a block at once. */
export const MOST_HOLDS = 2 ** 14 - 1;
export const ONE_HOLD = MOST_CELLS;
export const KEPT = ONE_HOLD * (MOST_HOLDS + 1);

export const lowOf = (name: number): number => name | 0;
export const highOf = (name: number): number => (name / 2 ** 32) | 0;
