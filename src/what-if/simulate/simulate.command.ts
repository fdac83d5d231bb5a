import { accessSync, constants, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { SettingsError } from '../../config/settings-error.js';
import { runCells } from '../cells/run-cells.js';
import { readTraceFile } from '../replay/read-trace-file.js';
import { policyChart } from '../report/policy-chart.js';
import { type PolicyRow, policyRow } from '../report/policy-row.js';
import { sortedRows, textTable } from '../report/policy-table.js';
import { Progress } from '../report/progress.js';
import { type PlannedTraffic, plannedTraffics } from './planned-cells.js';
import { readSimulateArguments, type SimulateArguments } from './simulate-arguments.js';
import { simulateHelp } from './simulate-flags.js';

/** The strategy that charts show in colour. */
const OWN = 'prefixaware';

/** `vllm-router simulate`. Throws a SettingsError for wrong flags and files that cannot be used. */
export async function simulateCommand(argv: readonly string[]): Promise<void> {
  const wanted = readSimulateArguments(argv);
  if (wanted.help) {
    process.stdout.write(simulateHelp());
    return;
  }
  const traffics = plannedTraffics(wanted, recordedSeconds(wanted.replay));
  checkFolder(wanted.plot);
  const rows = await rowsOf(traffics, wanted.threads ?? availableParallelism());
  if (wanted.json) {
    const told = traffics.map(({ title, workload }, at) => ({
      title,
      workload,
      policies: sortedRows(rows[at] ?? []),
    }));
    process.stdout.write(`${JSON.stringify(told, null, 2)}\n`);
  } else {
    for (const [at, { title }] of traffics.entries()) {
      process.stdout.write(`${at === 0 ? '' : '\n'}${title}\n\n${textTable(rows[at] ?? [])}`);
    }
  }
  plot(wanted, traffics, rows);
}

/** Runs everything, and tells on stderr how far it is. */
async function rowsOf(traffics: readonly PlannedTraffic[], threads: number): Promise<PolicyRow[][]> {
  const cells = traffics.flatMap((traffic) => traffic.cells);
  const progress = new Progress(process.stderr, cells.length, () => performance.now());
  const figures = await runCells(cells, threads, (index) => {
    const { policy, workload } = cells[index] ?? {};
    progress.advance(`${policy} on ${workload}`);
  });
  progress.end();
  let from = 0;
  return traffics.map((traffic) => {
    const runs = figures.slice(from, (from += traffic.cells.length));
    const policies = [...new Set(traffic.cells.map(({ policy }) => policy))];
    return policies.map((policy) =>
      policyRow(
        policy,
        runs.filter((_, at) => traffic.cells[at]?.policy === policy),
      ),
    );
  });
}

function recordedSeconds(path: string | null): number {
  if (path === null) return 0;
  try {
    return readTraceFile(path).requests.at(-1)?.at ?? 0;
  } catch (error) {
    throw new SettingsError([`--replay ${path}: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

/** Told before the runs rather than behind them. */
function checkFolder(path: string | null): void {
  if (path === null) return;
  try {
    accessSync(dirname(path), constants.W_OK);
  } catch {
    throw new SettingsError([`--plot ${path}: there is no folder ${dirname(path)} that can be written to`]);
  }
}

function plot(
  { plot: path }: SimulateArguments,
  traffics: readonly PlannedTraffic[],
  rows: readonly PolicyRow[][],
): void {
  if (path === null) return;
  for (const [at, { title, workload }] of traffics.entries()) {
    const name = traffics.length === 1 ? path : path.replace(/(\.svg)?$/i, `-${workload}$1`);
    try {
      writeFileSync(name, policyChart(title, rows[at] ?? [], OWN));
    } catch (error) {
      throw new SettingsError([`--plot ${name}: ${error instanceof Error ? error.message : String(error)}`]);
    }
  }
}
