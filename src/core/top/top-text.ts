import type { Quantiles } from '../live/live-view.js';
import { fitted, printable } from '../printable.js';
import type { Tally, TopRow, TopView } from './top-view.js';

/** How a line is shown where there are colours. */
export type Tone = 'plain' | 'head' | 'good' | 'worse' | 'bad';

export interface TopLine {
  readonly text: string;
  readonly tone: Tone;
}

export const SORTS = ['name', 'state', 'inflight', 'qps', 'ttft'] as const;
export type Sort = (typeof SORTS)[number];

const TONES: Readonly<Partial<Record<TopRow['state'], Tone>>> = {
  ready: 'plain',
  suspect: 'worse',
  probing: 'worse',
  asleep: 'worse',
  drained: 'worse',
  draining: 'worse',
  ejected: 'bad',
};
/** The worst first. */
const BY_STATE: readonly TopRow['state'][] = [
  'ejected',
  'probing',
  'suspect',
  'asleep',
  'draining',
  'drained',
  'unknown',
  'ready',
];

const NONE = '-';
const HOUR = 3_600;
/** Columns that an engine's name is given before others go, and its models at least. */
const ROOM_FOR_NAME = 28;
const LEAST_MODELS = 10;
const GAP = 2;

interface Column {
  readonly head: string;
  readonly of: (row: TopRow) => string;
  /** Columns with the highest number go first where there is no room; 0: never. */
  readonly goes: number;
}

const COLUMNS: readonly Column[] = [
  { head: 'STATE', of: ({ state }) => state, goes: 0 },
  { head: 'IN FLIGHT', of: (row) => String(row.inFlight), goes: 0 },
  { head: 'PREFILL', of: (row) => String(row.prefill), goes: 6 },
  { head: 'PENDING', of: (row) => count(row.pending), goes: 7 },
  { head: 'QUEUE', of: (row) => count(row.waiting), goes: 5 },
  { head: 'QPS', of: (row) => row.qps.toFixed(2), goes: 1 },
  { head: 'TTFT p50', of: (row) => seconds(row.ttft.p50), goes: 2 },
  { head: 'p99', of: (row) => seconds(row.ttft.p99), goes: 2 },
  { head: 'ITL p50', of: (row) => seconds(row.itl.p50), goes: 4 },
  { head: 'p99', of: (row) => seconds(row.itl.p99), goes: 4 },
  { head: 'HITS', of: (row) => percent(row.hitRate), goes: 3 },
  { head: 'KV', of: (row) => percent(row.kvUse), goes: 3 },
  { head: 'SLOW', of: (row) => (row.slowness === null ? NONE : row.slowness.toFixed(2)), goes: 8 },
];

/**
 * A view as lines of text.
 * @param url where the router was asked
 * @param width columns of the terminal; 40 and more
 */
export function topLines(view: TopView, url: string, width: number, sort: Sort): TopLine[] {
  const line = (text: string, tone: Tone = 'plain'): TopLine => ({
    text: fitted(printable(text), width),
    tone,
  });
  const { unready, discovery } = view.health;
  const lines = [
    line(`vllm-router ${view.version} at ${url}${since(view)}`, 'head'),
    line(unready === null ? 'ready' : `not ready: ${unready}`, unready === null ? 'good' : 'bad'),
  ];
  if (discovery !== null) {
    const { provider, state, reason } = discovery;
    const told = `discovery ${provider}: ${state}${reason === null ? '' : `, ${reason}`}`;
    lines.push(line(told, state === 'synced' ? 'plain' : 'bad'));
  }
  lines.push(line(''), line(summary(view)));
  const times: [string, Quantiles][] = [
    ['first token', view.ttft],
    ['between tokens', view.itl],
  ];
  const span = view.window === null ? "since the router's start" : `last ${Math.round(view.window)} s`;
  lines.push(
    line(
      `${span}: ${times.map(([name, { p50, p99 }]) => `${name} p50 ${seconds(p50)} p99 ${seconds(p99)}`).join(', ')}`,
    ),
  );
  for (const [name, of] of [
    ['attempts', view.outcomes],
    ['retries', view.retries],
    ['ejections', view.ejections],
    ['errors of the router', view.rejections],
  ] as const) {
    if (of.length > 0) lines.push(line(`${name}: ${words(of)}`, name === 'attempts' ? 'plain' : 'worse'));
  }
  lines.push(line(''), ...engineLines(view, width, sort));
  return lines;
}

function engineLines(view: TopView, width: number, sort: Sort): TopLine[] {
  if (view.rows.length === 0) return [{ text: 'no engines', tone: 'bad' }];
  const rows = [...view.rows].sort(orderOf(sort));
  const names = rows.map(({ url }) => printable(url.replace(/^http:\/\//, '')));
  const models = rows.map((row) => printable(row.models.join(' ')));
  const cells = COLUMNS.map(({ of, head }) => {
    const values = rows.map(of);
    return { values, head, width: Math.max(head.length, ...values.map(({ length }) => length)) };
  });
  const longest = Math.max('ENGINE'.length, ...names.map(({ length }) => length));
  const shown = fittingColumns(cells, width - Math.min(longest, ROOM_FOR_NAME));
  const taken = shown.reduce((sum, at) => sum + cells[at]!.width + GAP, 0);
  const nameWidth = Math.max(1, Math.min(longest, width - taken));
  const left = width - taken - nameWidth - GAP;
  const withModels = left >= LEAST_MODELS && models.some((text) => text !== '');
  const text = (name: string, of: (at: number) => string, last: string): string => {
    const cols = shown.map((at) => {
      const cell = of(at);
      return at === 0 ? cell.padEnd(cells[at]!.width) : cell.padStart(cells[at]!.width);
    });
    const all = [fitted(name, nameWidth).padEnd(nameWidth), ...cols];
    if (withModels) all.push(fitted(last, left));
    return all.join(' '.repeat(GAP)).trimEnd();
  };
  return [
    { text: text('ENGINE', (at) => cells[at]!.head, 'MODELS'), tone: 'head' },
    ...rows.flatMap((row, place) => {
      const tone = TONES[row.state] ?? 'worse';
      const own = { text: text(names[place]!, (at) => cells[at]!.values[place]!, models[place]!), tone };
      return row.reason === null
        ? [own]
        : [own, { text: fitted(`  because: ${printable(row.reason)}`, width), tone }];
    }),
  ];
}

/** The columns that fit into `room`, without those that are needed least. */
function fittingColumns(cells: readonly { readonly width: number }[], room: number): number[] {
  let shown = cells.map((_, at) => at);
  const needs = (): number => shown.reduce((sum, at) => sum + cells[at]!.width + GAP, 0);
  for (let least = Math.max(...COLUMNS.map(({ goes }) => goes)); least > 0 && needs() > room; least--) {
    shown = shown.filter((at) => COLUMNS[at]!.goes !== least);
  }
  return shown;
}

/** The highest first. */
const FIGURES: Readonly<Record<Exclude<Sort, 'name'>, (row: TopRow) => number>> = {
  state: ({ state }) => -BY_STATE.indexOf(state),
  inflight: ({ inFlight }) => inFlight,
  qps: ({ qps }) => qps,
  ttft: ({ ttft }) => ttft.p99 ?? -1,
};

function orderOf(sort: Sort): (a: TopRow, b: TopRow) => number {
  const byName = (a: TopRow, b: TopRow): number => a.url.localeCompare(b.url, 'en', { numeric: true });
  if (sort === 'name') return byName;
  const figure = FIGURES[sort];
  return (a, b) => figure(b) - figure(a) || byName(a, b);
}

function summary({ rows, inFlight, held, qps }: TopView): string {
  const ready = rows.filter(({ state }) => state === 'ready').length;
  const parts = [`${ready} of ${rows.length} engines ready`, `${inFlight} in flight`];
  if (held !== null && held > 0) parts.push(`${held} held`);
  parts.push(`${qps.toFixed(2)} requests a second`);
  return parts.join(', ');
}

function since({ upSeconds, workers }: TopView): string {
  const up = upSeconds === null ? '' : `, up ${duration(upSeconds)}`;
  return workers === null ? up : `${up}, ${workers} workers`;
}

const words = (of: Tally): string => of.map(([word, times]) => `${word} ${times}`).join(', ');
const count = (value: number | null): string => (value === null ? NONE : String(Math.round(value)));
const percent = (value: number | null): string => (value === null ? NONE : `${(value * 100).toFixed(0)}%`);

function seconds(value: number | null): string {
  if (value === null) return NONE;
  if (value >= 1) return `${value.toFixed(2)} s`;
  return `${(value * 1_000).toFixed(value >= 0.1 ? 0 : 1)} ms`;
}

function duration(value: number): string {
  if (value < 120) return `${Math.round(value)} s`;
  if (value < 2 * HOUR) return `${Math.round(value / 60)} min`;
  return value < 48 * HOUR ? `${Math.round(value / HOUR)} h` : `${Math.round(value / (24 * HOUR))} d`;
}
