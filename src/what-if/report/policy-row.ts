import type { CellFigures, Quantiles } from '../cells/cell.js';
import { type Interval, intervalOf } from './interval.js';

/** What one policy did under one traffic, over all seeds. */
export interface PolicyRow {
  readonly policy: string;
  readonly goodput: Interval;
  /** Means over the seeds. */
  readonly ttft: Quantiles;
  readonly tpot: Quantiles;
  readonly hitRate: number;
  readonly imbalance: number;
  /** Shares of the requests. */
  readonly unfinished: number;
  readonly failed: number;
  /** One for each seed. */
  readonly runs: readonly CellFigures[];
}

/** @param runs one for each seed, at least one */
export function policyRow(policy: string, runs: readonly CellFigures[]): PolicyRow {
  const mean = (of: (run: CellFigures) => number): number =>
    runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
  const quantiles = (of: (run: CellFigures) => Quantiles): Quantiles => ({
    mean: mean((run) => of(run).mean),
    p50: mean((run) => of(run).p50),
    p90: mean((run) => of(run).p90),
    p99: mean((run) => of(run).p99),
  });
  return {
    policy,
    goodput: intervalOf(runs.map(({ goodput }) => goodput)),
    ttft: quantiles(({ ttft }) => ttft),
    tpot: quantiles(({ tpot }) => tpot),
    hitRate: mean(({ hitRate }) => hitRate),
    imbalance: mean(({ imbalance }) => imbalance),
    unfinished: mean(({ unfinished, requests }) => unfinished / Math.max(1, requests)),
    failed: mean(({ failed, requests }) => failed / Math.max(1, requests)),
    runs,
  };
}
