import { figuresOf, type RunFigures } from '../run-figures.js';
import { policyNamed } from '../policies.js';
import { readTraceFile } from '../replay/read-trace-file.js';
import { replayOf } from '../replay/replay.js';
import { runStrategy } from '../runner/run-strategy.js';
import { WORKLOADS } from '../workloads/index.js';
import type { WorkloadRun } from '../workloads/workload.js';
import { type Cell, endOf } from './cell.js';

/** Runs one cell in this thread. */
export function runCell(cell: Cell): RunFigures {
  const strategy = policyNamed(cell.policy);
  const { scrapeSeconds } = strategy;
  const run = runStrategy({
    strategy,
    engines: cell.engines,
    ...(cell.model ? { model: cell.model } : {}),
    ...trafficOf(cell),
    until: endOf(cell),
    seed: cell.seed,
    routers: cell.routers ?? 1,
    share: cell.share ?? true,
    ...(scrapeSeconds === undefined ? {} : { scrapeSeconds }),
  });
  const { warmUp, seconds, targets } = cell;
  return figuresOf(run, cell.engines.length, { from: warmUp, to: warmUp + seconds }, targets);
}

function trafficOf({ workload, seed, rate, replay }: Cell): WorkloadRun {
  if (replay !== undefined) return replayOf(readTraceFile(replay), rate);
  const found = WORKLOADS.find(({ name }) => name === workload);
  if (!found) throw new RangeError(`there is no workload ${workload}`);
  return found.begin(seed, rate);
}
