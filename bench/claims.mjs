// What the project promises of its speed, judged from runs: ratios within each run, then their median and range.
import { median } from './statistics.mjs';

const finite = (values) => values.filter(Number.isFinite);

/** Median, least and most of ratios. */
export function spreadOf(ratios) {
  const good = finite(ratios);
  return { median: median(good), low: Math.min(...good), high: Math.max(...good), n: good.length };
}

/** For each run: ours over the least of the named rows. NaN where one of them is missing. */
export function ratiosToBest(runs, value, ours, others) {
  return runs.map((run) => {
    const best = Math.min(...finite(others.map((name) => value(run, name))));
    return value(run, ours) / best;
  });
}

const at = (stage, key) => (run, name) => run[stage]?.[name]?.[key];
/** What cannot be told apart at the latencies of one run; microseconds. */
const LATENCY_RESOLUTION = 50;

/**
 * What a row adds to the median of the direct way, whose own tail is noise alone; never below the resolution, so that a
 * ratio has a meaning.
 */
const added = (stage, key) => (run, name) => {
  const difference = run[stage]?.[name]?.[key] - run[stage]?.direct?.p50;
  return Number.isFinite(difference) ? Math.max(LATENCY_RESOLUTION, difference) : Number.NaN;
};

/** Lines of the verdict table: ratio of ours to nginx, or to the best LLM router, and how it is judged. */
const RATIO_CLAIMS = [
  { what: '1 KB request, CPU', value: at('small', 'cost'), to: 'nginx', most: 2.8 },
  { what: '1 KB request, CPU', value: at('small', 'cost'), to: 'llm', most: 1, whole: true },
  { what: '32 KB request, CPU', value: at('large', 'cost'), to: 'nginx', most: 5 },
  { what: '32 KB request, CPU', value: at('large', 'cost'), to: 'llm', most: 1.1 },
  { what: 'paced chunk, CPU', value: at('paced', 'cost'), to: 'nginx', most: 1.6 },
  { what: 'paced chunk, CPU', value: at('paced', 'cost'), to: 'llm', most: 1.1 },
  { what: 'back-to-back chunk, CPU', value: at('burst', 'cost'), to: 'llm', most: 1, whole: true },
  { what: 'added latency p50', value: added('latency', 'p50'), to: 'llm', most: 1.1 },
  { what: 'added latency p99', value: added('latency', 'p99'), to: 'llm', most: 2 },
  { what: 'added time to first token p50', value: added('first-token', 'p50'), to: 'llm', most: 1.1 },
  { what: 'added time to first token p99', value: added('first-token', 'p99'), to: 'llm', most: 2 },
  { what: 'chunk lag p50 at 10,000 chunks/s', value: at('paced', 'lag50'), to: 'llm', most: 1.1 },
  { what: 'chunk lag p99 at 10,000 chunks/s', value: at('paced', 'lag99'), to: 'llm', most: 2 },
];

function ratioClaims(figures, llm) {
  return RATIO_CLAIMS.map(({ what, value, to, most, whole = false }) => {
    const others = to === 'nginx' ? ['nginx'] : llm;
    const ratio = spreadOf(ratiosToBest(figures, value, 'ours', others));
    const found =
      ratio.n === 0
        ? '-'
        : `${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`;
    return {
      what: `${what}, over ${to === 'nginx' ? 'nginx' : 'the best LLM router'}`,
      wanted: whole ? `whole range < ${most}` : `median <= ${most}`,
      found,
      holds: ratio.n === 0 ? null : whole ? ratio.high < most : ratio.median <= most,
    };
  });
}

const HELD_CLAIMS = [
  { key: 'miBPer1000', what: 'memory per 1,000 streams', most: 45, unit: 'MB' },
  { key: 'healthP99Us', what: '/health p99 meanwhile', most: 20, unit: 'ms', scale: 1e-3 },
];

function heldClaims(held) {
  return [1000, 3000].flatMap((streams) => {
    const runs = held.map((rows) => rows?.ours?.[streams]).filter((row) => row !== undefined);
    if (runs.length === 0) return [];
    const all = runs.filter((row) => row.completed === streams && row.bad === 0 && row.lost === 0).length;
    const title = `${streams.toLocaleString('en')} streams`;
    const complete = {
      what: `${title}: all complete`,
      wanted: 'every run',
      found: `${all} of ${runs.length} runs`,
      holds: all === runs.length,
    };
    const measured = HELD_CLAIMS.map(({ key, what, most, unit, scale = 1 }) => {
      const worst = Math.max(...runs.map((row) => row[key] * scale));
      return {
        what: `${title}: ${what}`,
        wanted: `< ${most} ${unit}`,
        found: `${worst.toFixed(1)} ${unit} at worst`,
        holds: worst < most,
      };
    });
    return [complete, ...measured];
  });
}

/**
 * The verdict table: `{ what, wanted, found, holds }`, `holds` null where nothing was measured. `figures` are those of
 * each run by stage and row, `held` the held streams of each run by row and count, `llm` the rows that are LLM routers.
 */
export function judge(figures, held, llm) {
  return [...ratioClaims(figures, llm), ...heldClaims(held)];
}
