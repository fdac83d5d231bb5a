import type { Engine, ServedModel } from '../core/engine.js';
import type { EngineStats } from '../core/prometheus-text.js';
import type { RequestFigures } from './request-figures.js';

/** What one block of the statistics log tells of one engine. */
export interface StatsLogEntry {
  readonly engine: Engine;
  /** Null without a successful scrape. */
  readonly scraped: EngineStats | null;
  /** Null before the first request. */
  readonly figures: RequestFigures | null;
}

const EDGE = '='.repeat(50);
const BETWEEN = '-'.repeat(50);

/**
 * The text of `--log-stats`: one record with a block for each engine, line by line as production-stack's
 * router writes it, so that what reads those lines goes on reading them. As there, -1 stands for what is not
 * known: a mean without a sample in the window, a figure that the engine does not tell.
 */
export function formatStats(entries: readonly StatsLogEntry[]): string {
  const lines = ['', EDGE];
  for (const { engine, scraped, figures } of entries) {
    lines.push(`Server: ${engine.url}`, 'Models:', ...engine.models.map(modelLine));
    lines.push(` Engine Stats: ${scraped ? engineStats(scraped) : 'No stats available'}`);
    lines.push(` Request Stats: ${figures ? requestStats(figures, scraped) : 'No stats available'}`);
    lines.push(BETWEEN);
  }
  lines.push(EDGE, '');
  return lines.join('\n');
}

function modelLine({ id, parent }: ServedModel): string {
  return `  - ${id}${parent === null ? '' : ` (adapter for ${parent})`}`;
}

function engineStats(stats: EngineStats): string {
  return [
    `Running Requests: ${known(stats.running, 1)}`,
    `Queued Requests: ${known(stats.waiting, 1)}`,
    `GPU Cache Hit Rate: ${known(stats.prefixCacheHitRate, 2)}`,
  ].join(', ');
}

function requestStats(figures: RequestFigures, scraped: EngineStats | null): string {
  return [
    `QPS: ${figures.qps.toFixed(2)}`,
    `Avg Latency: ${known(figures.latency, 4)}`,
    `Avg ITL: ${known(figures.interToken, 4)}`,
    `Prefill Requests: ${figures.prefill}`,
    `Decoding Requests: ${figures.decoding}`,
    `Swapped Requests: ${scraped?.swapped ?? 0}`,
    `Finished: ${figures.finished}`,
    `Uptime: ${(figures.uptime ?? 0).toFixed(2)} sec`,
  ].join(', ');
}

function known(value: number | null, digits: number): string {
  return value === null ? '-1' : value.toFixed(digits);
}
