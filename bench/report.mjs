// Writes docs/performance.md and its charts from results.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { barChart } from './charts.mjs';
import { judge } from './claims.mjs';
import { HERE, ROOT } from './native.mjs';
import { LLM_ROUTERS } from './peers.mjs';
import { median } from './statistics.mjs';
import { runFigures } from './tables.mjs';
import { CHECKS } from './verify.mjs';

const row = (cells) => `| ${cells.join(' | ')} |`;
const markdownTable = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
const show = (value, digits = 0) => (Number.isFinite(value) ? value.toFixed(digits) : '-');

/** The median over runs of one figure of one row; NaN when no run has it. */
function overRuns(figures, stage, name, key) {
  return median(figures.map((run) => run[stage]?.[name]?.[key]).filter(Number.isFinite));
}

/** The median over runs of what a row adds to the direct way, in milliseconds. */
function addedMs(figures, stage, name, key) {
  const all = figures.map((run) => (run[stage]?.[name]?.[key] - run[stage]?.direct?.[key]) / 1000);
  return median(all.filter(Number.isFinite));
}

function ratioToNginx(figures, stage, name) {
  const all = figures.map((run) => run[stage]?.[name]?.cost / run[stage]?.nginx?.cost);
  return median(all.filter(Number.isFinite));
}

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

function costTable(figures, names) {
  const stages = [
    ['small', 1],
    ['large', 0],
    ['paced', 1],
    ['burst', 2],
  ];
  const head = [
    '',
    '1 KB us',
    'x nginx',
    '32 KB us',
    'x nginx',
    'paced chunk us',
    'x nginx',
    'back-to-back chunk us',
    'x nginx',
    '1 KB requests/s on one core',
  ];
  const rows = names.map((name) => [
    name,
    ...stages.flatMap(([stage, digits]) => [
      show(overRuns(figures, stage, name, 'cost'), digits),
      show(ratioToNginx(figures, stage, name), 2),
    ]),
    show(overRuns(figures, 'small', name, 'perSecond')),
  ]);
  return markdownTable(head, rows);
}

function latencyTable(figures, names) {
  const head = ['', 'added ms p50', 'p99', 'first token added ms p50', 'p99', 'chunk lag us p50', 'p99'];
  const rows = names.map((name) => [
    name,
    ...['p50', 'p99'].map((key) => show(addedMs(figures, 'latency', name, key), 2)),
    ...['p50', 'p99'].map((key) => show(addedMs(figures, 'first-token', name, key), 2)),
    ...['lag50', 'lag99'].map((key) => show(overRuns(figures, 'paced', name, key))),
  ]);
  return markdownTable(head, rows);
}

function memoryTable(runs, names) {
  const of = (pick) => median(runs.map(pick).filter(Number.isFinite));
  const head = [
    '',
    'ready after s',
    'MB idle',
    'streams',
    'completed',
    'MB per 1,000 streams',
    '/health p99 ms',
  ];
  const rows = names.flatMap((name) => {
    const start = [
      show(of((run) => run.start[name]?.startMs) / 1000, 1),
      show(of((run) => run.start[name]?.idleMiB)),
    ];
    const counts = [...new Set(runs.flatMap((run) => Object.keys(run.held?.[name] ?? {})))];
    if (counts.length === 0) return [[name, ...start, '-', '-', '-', '-']];
    return counts.map((count, i) => {
      const held = (key) => of((run) => run.held?.[name]?.[count]?.[key]);
      const first = i === 0 ? [name, ...start] : ['', '', ''];
      return [
        ...first,
        count,
        show(held('completed')),
        show(held('miBPer1000'), 1),
        show(held('healthP99Us') / 1000, 1),
      ];
    });
  });
  return markdownTable(head, rows);
}

function claimsTable(figures, runs) {
  const names = new Set(figures.flatMap((run) => Object.values(run).flatMap((rows) => Object.keys(rows))));
  const llm = LLM_ROUTERS.filter((name) => names.has(name));
  const verdicts = judge(
    figures,
    runs.map((run) => run.held),
    llm,
  );
  const word = (holds) => (holds === null ? 'not measured' : holds ? 'holds' : '**does not hold**');
  return markdownTable(
    ['Claim', 'Wanted', 'Found: median (range)', ''],
    verdicts.map(({ what, wanted, found, holds }) => [what, wanted, found, word(holds)]),
  );
}

function verifiedTable(runs) {
  const rows = Object.entries(Object.assign({}, ...runs.map((run) => run.verified)));
  return markdownTable(
    ['', ...CHECKS],
    rows.map(([name, results]) => [name, ...CHECKS.map((check) => results[check] ?? '-')]),
  );
}

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
- Latencies are those of the quieter half of the windows, less those of the direct way. Lag is the time from the engine's
  write of a chunk to the client's read.
- A router that needs more than 3 ms for a request gets fewer connections: 10 paced streams instead of 100.
- All route round robin; retries, breakers, health checks and access logs are off where they can be. Ours runs as shipped.
- LLM routers are ${LLM_ROUTERS.join(', ')}.

## Machine and versions

${markdownTable(['', ''], [...Object.entries(machine), ['load average', `${load} (${runs.length} runs)`]])}

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
