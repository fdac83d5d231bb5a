// Writes docs/performance.md and its charts from results.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { barChart } from './charts.mjs';
import { HERE, ROOT } from './native.mjs';
import { LLM_ROUTERS } from './peers.mjs';
import {
  addedMs,
  claimsTable,
  costTable,
  latencyTable,
  markdownTable,
  memoryTable,
  overRuns,
  verifiedTable,
} from './report-tables.mjs';
import { runFigures } from './tables.mjs';

const CHARTS = [
  {
    file: 'small',
    title: '1 KB request',
    unit: 'processor time, microseconds a request',
    value: (f, n) => overRuns(f, 'small', n, 'cost'),
  },
  {
    file: 'large',
    title: '32 KB request',
    unit: 'processor time, microseconds a request',
    value: (f, n) => overRuns(f, 'large', n, 'cost'),
  },
  {
    file: 'paced',
    title: 'Chunk of a paced stream',
    unit: 'processor time, microseconds a chunk',
    value: (f, n) => overRuns(f, 'paced', n, 'cost'),
  },
  {
    file: 'burst',
    title: 'Chunk of a stream that comes at once',
    unit: 'processor time, microseconds a chunk',
    value: (f, n) => overRuns(f, 'burst', n, 'cost'),
  },
  {
    file: 'first-token',
    title: 'Added time to the first token, median',
    unit: 'milliseconds at 50 streams a second',
    value: (f, n) => addedMs(f, 'first-token', n, 'p50'),
  },
  {
    file: 'lag',
    title: 'Chunk lag, 99th percentile',
    unit: 'microseconds at 10,000 chunks a second',
    value: (f, n) => overRuns(f, 'paced', n, 'lag99'),
  },
];

const FENCE = '```';

/** The page as text; `charts` are the names of those that exist. */
export function performancePage(results, notes, charts) {
  const { runs, machine, versions, command } = results;
  const figures = runs.map(runFigures);
  const names = Object.keys(versions);
  const withDirect = [...names, 'direct'];
  const load = runs.map((run) => run.load.map((value) => value.toFixed(1)).join(' to ')).join(', ');
  return `# Performance

<!-- Written by ${FENCE.slice(0, 1)}npm run bench -- --write${FENCE.slice(0, 1)}; what is written by hand is in bench/notes.md. -->

## What is measured, and how to repeat it

${FENCE}bash
sh bench/install-peers.sh      # what the registries have of the other routers
npm run bench -- --help
${command}
${FENCE}

- A light engine (bench/engine.c) and load (bench/load.c) have one core, the routers the other.
- Before anything is measured, each router is checked byte for byte.
- All routers run at once and are measured in windows of a fraction of a second, in an order that rotates, so that noise
  of the machine meets them alike. Ratios within a run can be trusted, microseconds depend on the machine.
- Processor time is the scheduler's own count over all threads of all processes of a router. Of requests and
  back-to-back chunks the 10th percentile of the windows is given, of paced chunks the median of the half of the windows
  with the least lag; these include a hundredth of a request.
- Latencies are those of the quieter half of the windows, less the median of the direct way. Lag is the time from the engine's
  write of a chunk to the client's read. For the claims, additions below 0.05 ms count as 0.05 ms.
- A router that needs more than 3 ms for a request gets fewer connections: 10 paced streams instead of 100.
- All route round robin; retries, breakers, health checks and access logs are off where they can be. Ours runs as shipped.
- LLM routers are ${LLM_ROUTERS.join(', ')}.

## Machine and versions

${markdownTable(['', ''], [...Object.entries(machine), ['load average', `${load} (${runs.length} ${runs.length === 1 ? 'run' : 'runs'})`]])}

${markdownTable(['Router', 'Version'], Object.entries(versions))}

## Claims

${claimsTable(figures, runs)}

## Processor time

${costTable(figures, withDirect)}

"direct" is the engine's own processor time.

${charts
  .filter((name) => ['small', 'large', 'paced', 'burst'].includes(name))
  .map((name) => `![${name}](performance/${name}.svg)`)
  .join('\n')}

## Latency

${latencyTable(figures, withDirect)}

${charts
  .filter((name) => ['first-token', 'lag'].includes(name))
  .map((name) => `![${name}](performance/${name}.svg)`)
  .join('\n')}

## Start and memory

${memoryTable(runs, names)}

## What each does with bytes

${verifiedTable(runs)}

${notes.trim()}
`;
}

/** Writes the page and the charts; their paths. */
export function writeReport(results) {
  const folder = join(ROOT, 'docs', 'performance');
  mkdirSync(folder, { recursive: true });
  const figures = results.runs.map(runFigures);
  const written = [];
  for (const { file, title, unit, value } of CHARTS) {
    const rows = Object.keys(results.versions).map((name) => ({
      name,
      value: value(figures, name),
      own: name.startsWith('ours'),
    }));
    if (!rows.some((one) => Number.isFinite(one.value))) continue;
    writeFileSync(join(folder, `${file}.svg`), barChart(title, unit, rows));
    written.push(file);
  }
  const notes = readFileSync(join(HERE, 'notes.md'), 'utf8');
  writeFileSync(join(ROOT, 'docs', 'performance.md'), performancePage(results, notes, written));
  return ['docs/performance.md', ...written.map((file) => `docs/performance/${file}.svg`)];
}

/** The verdict table as lines of text. */
export function claimLines(runs) {
  return claimsTable(runs.map(runFigures), runs);
}
