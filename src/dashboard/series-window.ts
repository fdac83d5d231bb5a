import { setImmediate as nextTurn } from 'node:timers/promises';
import { INTER_TOKEN_SECONDS, REQUEST_SECONDS } from '../core/histogram.js';
import { type Flow, type Quantiles, rounded, SAMPLE_SECONDS } from '../core/live/live-view.js';
import { quantile } from '../core/live/quantile.js';
import { RecentCounts } from '../core/live/recent-counts.js';
import type { EngineSeries, LifetimeSeries, ModelSeries } from '../stats/lifetime-series.js';

/** Engines that are read before the event loop gets a turn: less than a millisecond. */
const ENGINES_PER_TURN = 50;
/** Steps that make the last minute, and those that the picture of requests shows. */
const MINUTE = 60 / SAMPLE_SECONDS;
const FLOW_STEPS = 2;

/** Places of an engine's counters: ended, failed, then the buckets of both histograms. */
const ENDED = 0;
const FAILED = 1;
const TTFT = 2;
const ITL = TTFT + REQUEST_SECONDS.length + 1;
const WIDTH = ITL + INTER_TOKEN_SECONDS.length + 1;

/** What was counted in some time. */
export interface Counted {
  readonly ended: number;
  readonly failed: number;
  readonly pieces: number;
  readonly ttft: Quantiles;
  readonly itl: Quantiles;
}

/** Requests of one model that ended: all at the end of the last step, and those of the two steps before. */
interface Ended {
  all: number;
  newer: number;
  older: number;
}

interface Kept {
  readonly counts: RecentCounts;
  readonly models: Map<string, Ended>;
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
  async step(lifetime: LifetimeSeries, now: number): Promise<Counted & { readonly seconds: number }> {
    const seconds = Math.max(1, (now - this.#steppedAt) / 1_000);
    this.#steppedAt = now;
    const all = new Float64Array(WIDTH);
    const counters = new Float64Array(WIDTH);
    let done = 0;
    for (const [url, series] of lifetime.byUrl) {
      const { counts, models } = this.#keep(url);
      counters.fill(0);
      for (const [name, model] of series.models) {
        addModel(counters, model);
        endStep(models, name, endedOf(model));
      }
      for (let at = 0; at < WIDTH; at++) all[at]! += counters[at]!;
      counts.step(counters);
      if (++done % ENGINES_PER_TURN === 0) await nextTurn();
      for (const name of models.keys()) if (!series.models.has(name)) models.delete(name);
    }
    for (const url of this.#engines.keys()) if (!lifetime.byUrl.has(url)) this.#engines.delete(url);
    this.#all.step(all);
    return { ...countedIn(this.#all.newest ?? new Float64Array(WIDTH)), seconds };
  }

  /** The last minute of one base URL. */
  engine(url: string, lifetime: LifetimeSeries): Counted {
    const series = lifetime.byUrl.get(url);
    const counters = new Float64Array(WIDTH);
    if (series) addEngine(counters, series);
    return countedIn(this.#engines.get(url)?.counts.lately(counters) ?? counters);
  }

  /** The last minute of all; counts a second. */
  all(lifetime: LifetimeSeries, now: number): Counted {
    const sums = new Float64Array(WIDTH);
    for (const series of lifetime.byUrl.values()) addEngine(sums, series);
    const counted = countedIn(this.#all.lately(sums));
    const seconds = this.#span(MINUTE, now);
    return {
      ...counted,
      ended: rounded(counted.ended / seconds),
      failed: rounded(counted.failed / seconds),
      pieces: rounded(counted.pieces / seconds),
    };
  }

  /** What flows from models to one base URL. */
  flows(url: string, lifetime: LifetimeSeries, now: number): Omit<Flow, 'engine'>[] {
    const kept = this.#engines.get(url);
    const seconds = this.#span(FLOW_STEPS, now);
    return [...(lifetime.byUrl.get(url)?.models ?? [])].flatMap(([model, series]) => {
      const before = kept?.models.get(model);
      const all = endedOf(series);
      const ended = before ? Math.max(0, all - before.all) + before.newer + before.older : all;
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

function endStep(models: Map<string, Ended>, name: string, ended: number): void {
  const kept = models.get(name);
  if (!kept) return void models.set(name, { all: ended, newer: ended, older: 0 });
  kept.older = kept.newer;
  kept.newer = Math.max(0, ended - kept.all);
  kept.all = ended;
}

function endedOf({ outcomes }: ModelSeries): number {
  let ended = 0;
  for (const count of outcomes.values()) ended += count;
  return ended;
}

function addEngine(counters: Float64Array, { models }: EngineSeries): void {
  for (const model of models.values()) addModel(counters, model);
}

function addModel(counters: Float64Array, model: ModelSeries): void {
  const { outcomes } = model;
  counters[ENDED]! += endedOf(model);
  counters[FAILED]! += (outcomes.get('failed') ?? 0) + (outcomes.get('timeout') ?? 0);
  model.timeToFirstToken.addCountsTo(counters, TTFT);
  model.interToken.addCountsTo(counters, ITL);
}

function countedIn(counts: Float64Array | Uint32Array): Counted {
  return {
    ended: counts[ENDED]!,
    failed: counts[FAILED]!,
    // Each is the first of its stream, or comes after a gap.
    pieces: sum(counts.subarray(TTFT)),
    ttft: quantilesOf(REQUEST_SECONDS, counts.subarray(TTFT, ITL)),
    itl: quantilesOf(INTER_TOKEN_SECONDS, counts.subarray(ITL)),
  };
}

function sum(counts: Float64Array | Uint32Array): number {
  let all = 0;
  for (const count of counts) all += count;
  return all;
}

function quantilesOf(bounds: readonly number[], counts: ArrayLike<number>): Quantiles {
  const of = (q: number): number | null => {
    const value = quantile(bounds, counts, q);
    return value === null ? null : rounded(value);
  };
  return { p50: of(0.5), p99: of(0.99) };
}
