import { parentPort } from 'node:worker_threads';
import { runCell } from './run-cell.js';
import type { CellOrder, CellReply } from './run-cells.js';

/** The thread in which `runCells` runs cells, one after the other. */
parentPort?.on('message', ({ index, cell }: CellOrder) => {
  let reply: CellReply;
  try {
    reply = { index, figures: runCell(cell) };
  } catch (error) {
    reply = { index, problem: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(reply);
});
