// The figures as a table of text.
import { latencyFigures, loopFigures, median, pacedFigures } from './statistics.mjs';
import { CHECKS } from './verify.mjs';

const FIGURES = {
  small: loopFigures,
  large: loopFigures,
  burst: (windows) => loopFigures(windows, 'chunks'),
  paced: pacedFigures,
  latency: (windows) => latencyFigures(windows, 'whole'),
  'first-token': (windows) => latencyFigures(windows, 'first'),
};

/** Figures of one run: by stage, by name of the row. */
export function runFigures(run) {
  return Object.fromEntries(
    Object.entries(run.stages).map(([key, rows]) => [
      key,
      Object.fromEntries(Object.entries(rows).map(([name, windows]) => [name, FIGURES[key](windows)])),
    ]),
  );
}

const COLUMNS = [
  ['1 KB us', 'small', 'cost', 1],
  ['median', 'small', 'costMedian', 1],
  ['rps', 'small', 'perSecond', 0],
  ['32 KB us', 'large', 'cost', 1],
  ['paced us/chunk', 'paced', 'cost', 1],
  ['lag p50', 'paced', 'lag50', 0],
  ['lag p99', 'paced', 'lag99', 0],
  ['burst us/chunk', 'burst', 'cost', 2],
  ['JSON p50 us', 'latency', 'p50', 0],
  ['p99', 'latency', 'p99', 0],
  ['first token p50', 'first-token', 'p50', 0],
  ['p99', 'first-token', 'p99', 0],
];

/** One row for each peer: medians over the runs. */
export function textTable(runs) {
  const figures = runs.map(runFigures);
  const names = [
    ...new Set(figures.flatMap((run) => Object.values(run).flatMap((rows) => Object.keys(rows)))),
  ];
  const columns = COLUMNS.filter(([, stage]) => figures.some((run) => stage in run));
  const cell = (name, [, stage, key, digits]) => {
    const values = figures.map((run) => run[stage]?.[name]?.[key]).filter(Number.isFinite);
    return values.length === 0 ? '-' : median(values).toFixed(digits);
  };
  const rows = [
    ['', ...columns.map(([title]) => title)],
    ...names.map((name) => [name, ...columns.map((c) => cell(name, c))]),
  ];
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows
    .map((row) =>
      row.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join('  '),
    )
    .join('\n');
}

/** What was checked of each row, one line for each check. */
export function verifiedList(runs) {
  const rows = Object.entries(Object.assign({}, ...runs.map((run) => run.verified)));
  return rows
    .map(([name, results]) =>
      [name, ...CHECKS.map((check) => `  ${check.padEnd(14)} ${results[check]}`)].join('\n'),
    )
    .join('\n');
}
