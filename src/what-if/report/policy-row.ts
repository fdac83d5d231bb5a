import type { Spread } from '../../simulator/virtual/summary.js';
import { type Interval, intervalOf } from '../interval.js';
import type { RunFigures } from '../run-figures.js';

/** A spread without its count. */
export type Times = Omit<Spread, 'count'>;

/** What one policy did under one traffic, over all seeds. */
export interface PolicyRow {
  readonly policy: string;
  readonly goodput: Interval;
  /** Means over the seeds. */
  readonly ttft: Times;
  readonly tpot: Times;
  readonly hitRate: number;
  readonly imbalance: number;
  /** Shares of the requests. */
  readonly unfinished: number;
  readonly refused: number;
  /** One for each seed. */
  readonly runs: readonly RunFigures[];
}

/** @param runs one for each seed, at least one */
export function policyRow(policy: string, runs: readonly RunFigures[]): PolicyRow {
  const mean = (of: (run: RunFigures) => number): number =>
    runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
  const quantiles = (of: (run: RunFigures) => Times): Times => ({
    mean: mean((run) => of(run).mean),
    median: mean((run) => of(run).median),
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
    refused: mean(({ refused, requests }) => refused / Math.max(1, requests)),
    runs,
  };
}
