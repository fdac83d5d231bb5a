import { Worker } from 'node:worker_threads';
import type { RunFigures } from '../run-figures.js';
import type { Cell } from './cell.js';
import { runCell } from './run-cell.js';

/** One of the answers of the thread: figures of the cell with that index, or why there are none. */
export type CellReply =
  | { readonly index: number; readonly figures: RunFigures }
  | { readonly index: number; readonly problem: string };

export interface CellOrder {
  readonly index: number;
  readonly cell: Cell;
}

/**
 * Runs cells, some at a time in threads of their own, and tells of each as it ends. With one thread it is this one.
 *
 * @param threads how many at a time, 1 or more
 * @returns figures in the order of the cells
 * @throws {Error} when a cell cannot run
 */
export async function runCells(
  cells: readonly Cell[],
  threads: number,
  ended: (index: number, figures: RunFigures) => void = () => {},
): Promise<RunFigures[]> {
  const all: RunFigures[] = [];
  const end = (index: number, figures: RunFigures): void => {
    all[index] = figures;
    ended(index, figures);
  };
  if (threads <= 1 || cells.length <= 1) {
    for (const [index, cell] of cells.entries()) end(index, runCell(cell));
    return all;
  }
  const queue = [...cells.entries()];
  const count = Math.min(threads, cells.length);
  await Promise.all(Array.from({ length: count }, async () => oneThread(queue, end)));
  return all;
}

/** A thread that takes cells from the queue until it is empty. */
async function oneThread(
  queue: [number, Cell][],
  end: (index: number, figures: RunFigures) => void,
): Promise<void> {
  const thread = new Worker(new URL('./cell.worker.js', import.meta.url));
  try {
    await new Promise<void>((resolve, reject) => {
      const next = (): void => {
        const order = queue.shift();
        if (order === undefined) resolve();
        else thread.postMessage({ index: order[0], cell: order[1] } satisfies CellOrder);
      };
      thread.on('message', (reply: CellReply) => {
        if ('problem' in reply) return reject(new Error(reply.problem));
        end(reply.index, reply.figures);
        next();
      });
      thread.on('error', reject);
      thread.on('exit', () => reject(new Error('a thread of the simulation has ended')));
      next();
    });
  } finally {
    await thread.terminate();
  }
}
