import type { Histogram } from '../../core/histogram.js';
import type { EngineCounters } from '../model/engine-counters.js';
import type { CacheFacts } from './cache-config.js';
import type { EngineHistograms } from './engine-histograms.js';
import type { Series } from './metric-text.js';

/** What a step leaves behind for readers of the gauges. */
export interface EngineGauges {
  readonly running: number;
  readonly waiting: number;
  readonly deferred: number;
  readonly kvUsage: number;
}

/** Everything that `/metrics` of an engine shows. */
export interface EngineFigures {
  readonly modelName: string;
  /** Unix seconds. */
  readonly startedAt: number;
  readonly counters: EngineCounters;
  readonly gauges: EngineGauges;
  readonly histograms: EngineHistograms;
  readonly sleepLevel: 0 | 1 | 2;
  readonly sleepOperations: ReadonlyMap<string, Histogram>;
  /** Prompt tokens from the prefix cache, of sequences that gave their first token. */
  readonly cachedTokens: number;
  readonly loraSeries: readonly Series[];
  readonly cache: CacheFacts;
}
