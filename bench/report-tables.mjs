// The tables of docs/performance.md, as Markdown. Figures are medians over the runs.
import { judge } from './claims.mjs';
import { LLM_ROUTERS } from './peers.mjs';
import { median } from './statistics.mjs';
import { CHECKS } from './verify.mjs';

const row = (cells) => `| ${cells.join(' | ')} |`;
/** A table in Markdown. */
export const markdownTable = (head, rows) =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
const show = (value, digits = 0) => (Number.isFinite(value) ? value.toFixed(digits) : '-');

/** The median over runs of one figure of one row; NaN when no run has it. */
export function overRuns(figures, stage, name, key) {
  return median(figures.map((run) => run[stage]?.[name]?.[key]).filter(Number.isFinite));
}

/** The median over runs of what a row adds to the median of the direct way, in milliseconds. */
export function addedMs(figures, stage, name, key) {
  const all = figures.map((run) => (run[stage]?.[name]?.[key] - run[stage]?.direct?.p50) / 1000);
  return median(all.filter(Number.isFinite));
}

function ratioToNginx(figures, stage, name) {
  const all = figures.map((run) => run[stage]?.[name]?.cost / run[stage]?.nginx?.cost);
  return median(all.filter(Number.isFinite));
}

/** Processor time. */
export function costTable(figures, names) {
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

/** What a row adds to the direct way. */
export function latencyTable(figures, names) {
  const head = ['', 'added ms p50', 'p99', 'first token added ms p50', 'p99', 'chunk lag us p50', 'p99'];
  const rows = names.map((name) => [
    name,
    ...['p50', 'p99'].map((key) => show(addedMs(figures, 'latency', name, key), 2)),
    ...['p50', 'p99'].map((key) => show(addedMs(figures, 'first-token', name, key), 2)),
    ...['lag50', 'lag99'].map((key) => show(overRuns(figures, 'paced', name, key))),
  ]);
  return markdownTable(head, rows);
}

/** Start and memory. */
export function memoryTable(runs, names) {
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

/** The verdicts. */
export function claimsTable(figures, runs) {
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

/** What each row does with bytes. */
export function verifiedTable(runs) {
  const rows = Object.entries(Object.assign({}, ...runs.map((run) => run.verified)));
  return markdownTable(
    ['', ...CHECKS],
    rows.map(([name, results]) => [name, ...CHECKS.map((check) => results[check] ?? '-')]),
  );
}
