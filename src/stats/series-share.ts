import type { AttemptOutcome } from '../core/attempt-event.js';
import type { HistogramState } from '../core/histogram.js';
import type { EngineSeries, ModelSeries } from './lifetime-series.js';

/** The histograms of a `ModelSeries`. */
const HISTOGRAMS = ['timeToFirstToken', 'interToken', 'duration', 'failedDuration'] as const;
/** Its sums, which are null until an engine told of one. */
const TOKENS = ['promptTokens', 'completionTokens', 'cachedTokens'] as const;

/** What one process has counted of one model on one engine, as it goes to another process. */
export interface ModelShare {
  readonly outcomes: ReadonlyMap<AttemptOutcome, number>;
  readonly errors: ReadonlyMap<string, number>;
  readonly histograms: readonly HistogramState[];
  readonly tokens: readonly (number | null)[];
}

/** What one process has counted of the engines at one base URL. */
export interface EngineShare {
  readonly models: ReadonlyMap<string, ModelShare>;
  readonly ejections: ReadonlyMap<string, number>;
  readonly scrapeFailures: number;
}

/** By base URL. */
export type SeriesShare = ReadonlyMap<string, EngineShare>;

/** The share that these series are; with `only`, of these models alone. */
export function shareOf(series: EngineSeries, only?: ReadonlySet<ModelSeries>): EngineShare {
  const models = [...series.models].filter(([, model]) => only === undefined || only.has(model));
  return {
    models: new Map(models.map(([name, model]) => [name, modelShare(model)])),
    ejections: series.ejections,
    scrapeFailures: series.scrapeFailures,
  };
}

function modelShare(series: ModelSeries): ModelShare {
  return {
    outcomes: series.outcomes,
    errors: series.errors,
    histograms: HISTOGRAMS.map((name) => series[name].state),
    tokens: TOKENS.map((name) => series[name]),
  };
}

/** Puts the newer share of one process over its older one; models that the newer one does not name stay. */
export function renewed(older: EngineShare | undefined, newer: EngineShare): EngineShare {
  return { ...newer, models: new Map([...(older?.models ?? []), ...newer.models]) };
}

/** Adds what another process has counted of one model. */
export function addModelShare(series: ModelSeries, share: ModelShare): void {
  addCounts(series.outcomes, share.outcomes);
  addCounts(series.errors, share.errors);
  HISTOGRAMS.forEach((name, at) => {
    const state = share.histograms[at];
    if (state) series[name].add(state);
  });
  TOKENS.forEach((name, at) => {
    const count = share.tokens[at] ?? null;
    if (count !== null) series[name] = (series[name] ?? 0) + count;
  });
}

/** Adds counts by key; `sums` holds as many keys as all that is added has together. */
export function addCounts<K>(sums: Map<K, number>, counts: ReadonlyMap<K, number>): void {
  for (const [key, count] of counts) sums.set(key, (sums.get(key) ?? 0) + count);
}
