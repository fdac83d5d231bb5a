import type { EngineModelOptions } from '../../simulator/model/engine-model.js';
import type { EngineProfile } from '../../simulator/model/engine-profile.js';

/** What a request must keep to count as served well; seconds. */
export interface Targets {
  /** From arrival to first token. */
  readonly ttft: number;
  /** For each token after the first one, on average over the request. */
  readonly tpot: number;
}

/** One run: a policy under one traffic with one seed. Plain data, so that it can go to another thread. */
export interface Cell {
  readonly policy: string;
  /** Name of a workload, for a replay any name. */
  readonly workload: string;
  /** Path of a file whose requests are replayed instead. */
  readonly replay?: string;
  /** Conversations a second; for a replay, how much faster than recorded. */
  readonly rate: number;
  readonly seed: number;
  readonly engines: readonly EngineProfile[];
  readonly model?: EngineModelOptions;
  /** Seconds that are measured, and those before them. */
  readonly seconds: number;
  readonly warmUp: number;
  readonly targets: Targets;
  /** Processes of the router, 1 by default, and whether they tell each other what they know, true by default. */
  readonly routers?: number;
  readonly share?: boolean;
}

/** Values in a few figures; seconds. NaN without a value. */
export interface Quantiles {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** What came out of a run, of the requests that arrived while it was measured. */
export interface CellFigures {
  readonly requests: number;
  /** Share of them that kept the targets, 0 to 1; one that failed or waits at the end did not. */
  readonly goodput: number;
  /** Of one that waits at the end, the time that it has waited. */
  readonly ttft: Quantiles;
  readonly tpot: Quantiles;
  /** Share of the prompt tokens of finished requests that came from prefix caches, 0 to 1. */
  readonly hitRate: number;
  /** Tokens computed by the busiest engine over the mean of all, 1 or more. */
  readonly imbalance: number;
  /** Requests that had not ended when the run did, and those that an engine refused. */
  readonly unfinished: number;
  readonly failed: number;
}

/** The end of a run: late enough to see whether what arrived last keeps the target of the first token. */
export function endOf({ warmUp, seconds, targets }: Cell): number {
  return warmUp + seconds + targets.ttft;
}
