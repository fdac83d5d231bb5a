import { INTER_TOKEN_SECONDS, REQUEST_SECONDS } from '../core/histogram.js';
import { type Flow, type Quantiles, rounded, SAMPLE_SECONDS } from '../core/live/live-view.js';
import { quantile } from '../core/live/quantile.js';
import { RecentCounts } from '../core/live/recent-counts.js';
import type { EngineSeries, LifetimeSeries, ModelSeries } from '../stats/lifetime-series.js';

/** Steps that make the last minute, and those that the picture of requests shows. */
const MINUTE = 60 / SAMPLE_SECONDS;
const FLOW_STEPS = 2;

/** Places of an engine's counters: ended, failed, tokens, then the buckets of both histograms. */
const ENDED = 0;
const FAILED = 1;
const OUTPUT = 2;
const TTFT = 3;
const ITL = TTFT + REQUEST_SECONDS.length + 1;
const WIDTH = ITL + INTER_TOKEN_SECONDS.length + 1;

/** What was counted in some time. */
export interface Counted {
  readonly ended: number;
  readonly failed: number;
  readonly outputTokens: number;
  readonly ttft: Quantiles;
  readonly itl: Quantiles;
}

interface Kept {
  readonly counts: RecentCounts;
  readonly models: Map<string, RecentCounts>;
}

/**
 * What was counted in the last minute, from the counters of a lifetime. Bounded by the engines and models of these: 2 KiB
 * for an engine, and a few bytes for each of its models.
 */
export class SeriesWindow {
  readonly #engines = new Map<string, Kept>();
  readonly #all = new RecentCounts(MINUTE, WIDTH);
  /** Monotonic milliseconds. */
  readonly #began: number;
  #steppedAt: number;

  constructor(now: number) {
    this.#began = this.#steppedAt = now;
  }

  /** Ends a step of five seconds. @returns what was counted in it, and how long it was in seconds */
  step(lifetime: LifetimeSeries, now: number): Counted & { readonly seconds: number } {
    const seconds = Math.max(1, (now - this.#steppedAt) / 1_000);
    this.#steppedAt = now;
    const all = new Float64Array(WIDTH);
    for (const [url, series] of lifetime.byUrl) {
      const { counts, models } = this.#keep(url);
      const counters = countersOf(series);
      addTo(all, counters);
      counts.step(counters);
      for (const [name, model] of series.models) modelOf(models, name).step(endedOf(model));
      for (const name of models.keys()) if (!series.models.has(name)) models.delete(name);
    }
    for (const url of this.#engines.keys()) if (!lifetime.byUrl.has(url)) this.#engines.delete(url);
    this.#all.step(all);
    return { ...countedIn(this.#all.newest ?? new Float64Array(WIDTH)), seconds };
  }

  /** The last minute of one base URL. */
  engine(url: string, lifetime: LifetimeSeries): Counted {
    const series = lifetime.byUrl.get(url);
    const counters = series ? countersOf(series) : new Float64Array(WIDTH);
    return countedIn(this.#engines.get(url)?.counts.lately(counters) ?? counters);
  }

  /** The last minute of all; counts a second. */
  all(lifetime: LifetimeSeries, now: number): Counted {
    const sums = new Float64Array(WIDTH);
    for (const series of lifetime.byUrl.values()) addTo(sums, countersOf(series));
    const counted = countedIn(this.#all.lately(sums));
    const seconds = this.#span(MINUTE, now);
    return {
      ...counted,
      ended: rounded(counted.ended / seconds),
      failed: rounded(counted.failed / seconds),
      outputTokens: rounded(counted.outputTokens / seconds),
    };
  }

  /** What flows from models to one base URL. */
  flows(url: string, lifetime: LifetimeSeries, now: number): Omit<Flow, 'engine'>[] {
    const kept = this.#engines.get(url);
    const seconds = this.#span(FLOW_STEPS, now);
    return [...(lifetime.byUrl.get(url)?.models ?? [])].flatMap(([model, series]) => {
      const counters = endedOf(series);
      const ended = kept?.models.get(model)?.lately(counters, FLOW_STEPS)[0] ?? counters[0]!;
      return ended > 0 ? [{ model, rate: rounded(ended / seconds) }] : [];
    });
  }

  /** How long the last so many steps are and what has come since, seconds. */
  #span(steps: number, now: number): number {
    const known = (now - this.#began) / 1_000;
    return Math.max(1, Math.min(known, steps * SAMPLE_SECONDS + (now - this.#steppedAt) / 1_000));
  }

  #keep(url: string): Kept {
    let kept = this.#engines.get(url);
    if (!kept)
      this.#engines.set(url, (kept = { counts: new RecentCounts(MINUTE, WIDTH), models: new Map() }));
    return kept;
  }
}

function modelOf(models: Map<string, RecentCounts>, name: string): RecentCounts {
  let counts = models.get(name);
  if (!counts) models.set(name, (counts = new RecentCounts(FLOW_STEPS, 1)));
  return counts;
}

function endedOf({ outcomes }: ModelSeries): Float64Array {
  let ended = 0;
  for (const count of outcomes.values()) ended += count;
  return Float64Array.of(ended);
}

function countersOf({ models }: EngineSeries): Float64Array {
  const counters = new Float64Array(WIDTH);
  for (const model of models.values()) {
    counters[ENDED]! += endedOf(model)[0]!;
    counters[FAILED]! += (model.outcomes.get('failed') ?? 0) + (model.outcomes.get('timeout') ?? 0);
    counters[OUTPUT]! += model.completionTokens ?? 0;
    addTo(counters, model.timeToFirstToken.state.counts, TTFT);
    addTo(counters, model.interToken.state.counts, ITL);
  }
  return counters;
}

function addTo(sums: Float64Array, counts: Float64Array, from = 0): void {
  for (let at = 0; at < counts.length; at++) sums[from + at]! += counts[at]!;
}

function countedIn(counts: Float64Array | Uint32Array): Counted {
  return {
    ended: counts[ENDED]!,
    failed: counts[FAILED]!,
    outputTokens: counts[OUTPUT]!,
    ttft: quantilesOf(REQUEST_SECONDS, counts.subarray(TTFT, ITL)),
    itl: quantilesOf(INTER_TOKEN_SECONDS, counts.subarray(ITL)),
  };
}

function quantilesOf(bounds: readonly number[], counts: ArrayLike<number>): Quantiles {
  const of = (q: number): number | null => {
    const value = quantile(bounds, counts, q);
    return value === null ? null : rounded(value);
  };
  return { p50: of(0.5), p99: of(0.99) };
}
