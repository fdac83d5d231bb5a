import type { PolicyRow } from './policy-row.js';

/** Heads of the columns, with their units. */
export const COLUMNS = [
  ...['policy', 'goodput', '+-', 'TTFT mean', 'p50', 'p90', 'p99 s', 'TPOT mean', 'p50', 'p99 ms'],
  ...['cached', 'imbalance', 'unfinished', 'refused'],
] as const;

const percent = (share: number): string => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
const fixed = (value: number, digits: number): string =>
  !Number.isFinite(value) ? '-' : value.toFixed(digits);
const seconds = (value: number): string => fixed(value, value < 10 ? 3 : 1);
const milliseconds = (value: number): string => fixed(value * 1e3, 1);

/** The cells of one row, as text. */
export function cellsOf({ policy, goodput, ttft, tpot, ...row }: PolicyRow): string[] {
  return [
    policy,
    fixed(goodput.mean, 3),
    fixed((goodput.high - goodput.low) / 2, 3),
    ...[ttft.mean, ttft.median, ttft.p90, ttft.p99].map(seconds),
    ...[tpot.mean, tpot.median, tpot.p99].map(milliseconds),
    percent(row.hitRate),
    fixed(row.imbalance, 2),
    percent(row.unfinished),
    percent(row.refused),
  ];
}

/** The best first: by goodput, then by mean TTFT. */
export function sortedRows(rows: readonly PolicyRow[]): PolicyRow[] {
  const rank = ({ goodput }: PolicyRow): number => Math.round(goodput.mean * 1e3);
  return [...rows].sort((a, b) => rank(b) - rank(a) || a.ttft.mean - b.ttft.mean);
}

/** A table for a terminal. */
export function textTable(rows: readonly PolicyRow[]): string {
  const lines = [[...COLUMNS] as string[], ...sortedRows(rows).map(cellsOf)];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** The same for Markdown. */
export function markdownTable(rows: readonly PolicyRow[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const rule = COLUMNS.map((_, column) => (column === 0 ? '---' : '--:'));
  return (
    line(COLUMNS) +
    line(rule) +
    sortedRows(rows)
      .map((row) => line(cellsOf(row)))
      .join('')
  );
}
