import { Injectable } from '@nestjs/common';
import type { AttemptEvent, AttemptOutcome } from '../core/attempt-event.js';
import type { Engine } from '../core/engine.js';
import { Histogram, INTER_TOKEN_SECONDS, REQUEST_SECONDS } from '../core/histogram.js';
import { labelsOf, ofModel } from './model-label.js';
import { addCounts, addModelShare, type EngineShare, type SeriesShare, shareOf } from './series-share.js';

/** Different causes counted apart under one label; the rest is `other`. */
export const MAX_CAUSES = 64;

/** Adds one to the count of `cause`; `counts` holds at most `MAX_CAUSES` entries and `other`. */
export function countCause(counts: Map<string, number>, cause: string): void {
  const key = counts.has(cause) || counts.size < MAX_CAUSES ? cause : 'other';
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** Everything counted of one model on one engine since the engine joined. */
export class ModelSeries {
  readonly outcomes = new Map<AttemptOutcome, number>();
  /** Attempts that ended otherwise than well, by cause; not those whose client left. */
  readonly errors = new Map<string, number>();
  readonly timeToFirstToken = new Histogram(REQUEST_SECONDS);
  readonly interToken = new Histogram(INTER_TOKEN_SECONDS);
  /** Attempts that ended well, and those that did not but for clients that left. */
  readonly duration = new Histogram(REQUEST_SECONDS);
  readonly failedDuration = new Histogram(REQUEST_SECONDS);
  /** Null until an engine told of one. */
  promptTokens: number | null = null;
  completionTokens: number | null = null;
  cachedTokens: number | null = null;
}

/** Everything counted of the engines at one base URL. */
export class EngineSeries {
  /** Bounded by `ofModel`. */
  readonly models = new Map<string, ModelSeries>();
  /** By cause. */
  readonly ejections = new Map<string, number>();
  scrapeFailures = 0;
}

/**
 * Counters and histograms, which only go up, by base URL: that is what `/metrics` labels them with, and
 * a successor at the same address goes on counting where its predecessor ended. They vanish with the
 * last engine of their URL. Bounded by the engines of the fleet and those that still have requests.
 */
@Injectable()
export class LifetimeSeries {
  readonly #byUrl = new Map<string, EngineSeries>();

  /** All that is counted, by base URL. */
  get byUrl(): ReadonlyMap<string, EngineSeries> {
    return this.#byUrl;
  }

  ofEngine(url: string): EngineSeries {
    let series = this.#byUrl.get(url);
    if (!series) this.#byUrl.set(url, (series = new EngineSeries()));
    return series;
  }

  ofModel(engine: Engine, model: string): ModelSeries {
    return ofModel(this.ofEngine(engine.url).models, engine, model, () => new ModelSeries());
  }

  /** All that is counted here, to be added to what other processes have counted. */
  share(): SeriesShare {
    return new Map([...this.#byUrl].map(([url, series]) => [url, shareOf(series)]));
  }

  /** Adds what another process has counted of the engines at one base URL. */
  add(url: string, { models, ejections, scrapeFailures }: EngineShare): void {
    const series = this.ofEngine(url);
    addCounts(series.ejections, ejections);
    series.scrapeFailures += scrapeFailures;
    for (const [name, share] of models) {
      const model = series.models.get(name) ?? new ModelSeries();
      series.models.set(name, model);
      addModelShare(model, share);
    }
  }

  /** Counts what an attempt event tells; O(1). */
  observe(event: AttemptEvent): void {
    if (event.type === 'dispatched') return;
    const series = this.ofModel(event.engine, event.request.model);
    const seconds = event.sinceDispatch / 1000;
    if (event.type === 'firstToken') {
      series.timeToFirstToken.observe(seconds);
      return;
    }
    const { outcome, usage } = event;
    series.outcomes.set(outcome, (series.outcomes.get(outcome) ?? 0) + 1);
    if (usage) {
      series.promptTokens = added(series.promptTokens, usage.prompt);
      series.completionTokens = added(series.completionTokens, usage.completion);
      series.cachedTokens = added(series.cachedTokens, usage.cached);
    }
    if (outcome === 'done') {
      series.duration.observe(seconds);
    } else if (outcome !== 'client_left' && outcome !== 'hedged_away') {
      series.failedDuration.observe(seconds);
      countCause(series.errors, event.cause ?? (event.status === null ? outcome : `http_${event.status}`));
    }
  }

  /** Forgets engines whose URL is not in `urls`. */
  retain(urls: ReadonlySet<string>): void {
    for (const url of this.#byUrl.keys()) if (!urls.has(url)) this.#byUrl.delete(url);
  }

  /** Forgets models that these engines have ceased to serve. */
  retainModels(engines: readonly Engine[]): void {
    const byUrl = new Map<string, Engine[]>();
    for (const engine of engines) byUrl.set(engine.url, [...(byUrl.get(engine.url) ?? []), engine]);
    for (const [url, atUrl] of byUrl) {
      const models = this.#byUrl.get(url)?.models;
      // Without models: not asked yet, or not to be reached; nothing is known to have ceased.
      if (!models || atUrl.some((engine) => engine.models.length === 0)) continue;
      const served = labelsOf(atUrl);
      for (const model of models.keys()) if (!served.has(model)) models.delete(model);
    }
  }
}

// What an engine tells is added only when it is a count.
function added(total: number | null, count: number | null): number | null {
  return count !== null && Number.isSafeInteger(count) && count >= 0 ? (total ?? 0) + count : total;
}
