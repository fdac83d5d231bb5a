import type { EngineModelOptions } from '../../simulator/model/engine-model.js';
import type { EngineProfile } from '../../simulator/model/engine-profile.js';
import type { Targets } from '../targets.js';

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

/** The end of a run: late enough to see whether what arrived last keeps the target of the first token. */
export function endOf({ warmUp, seconds, targets }: Cell): number {
  return warmUp + seconds + targets.ttft;
}
