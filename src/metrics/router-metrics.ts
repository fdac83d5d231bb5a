import { Injectable } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';
import type { AttemptEvent, AttemptOutcome } from '../core/attempt-event.js';
import type { Engine } from '../core/engine.js';
import type { HealthState } from '../core/health/health-state.js';
import type { EngineStats } from '../core/prometheus-text.js';
import type { StrategyFigure } from '../core/strategy-figure.js';
import { EngineStatsScraper } from '../stats/engine-stats.scraper.js';
import { countCause, LifetimeSeries } from '../stats/lifetime-series.js';
import { OTHER_MODELS, UNKNOWN_MODEL } from '../stats/model-label.js';
import { RequestStatsService } from '../stats/request-stats.service.js';
import { AdmissionMetrics, type GateFigures } from './admission-metrics.js';
import { type AttemptedReload, type BoundGauges, OwnMetrics } from './own-metrics.js';
import { processMetrics } from './process-metrics.js';
import { statesByUrl } from './engine-states.js';
import { type MetricFigures, type RenderedMetrics, renderMetrics } from './render-metrics.js';

/** Models that arrivals are counted apart for; further ones are `other`. */
const MAX_INCOMING_MODELS = 1024;

/** What the metrics read off the rest of the router at each scrape. */
export interface MetricSources extends BoundGauges {
  /** The health of an engine. */
  readonly state?: (engine: Engine) => HealthState;
  /** What the routing strategy shows. */
  readonly strategy?: () => readonly StrategyFigure[];
  /** The router's version, for `vllm_router_build_info`. */
  readonly version?: string;
}

/**
 * Everything that `/metrics` shows. Each method counts one thing, O(1) and without waiting; `render`
 * reads what the others keep and asks no engine. Series are labelled by engines, served models and words
 * of the code, never by text of a client.
 */
@Injectable()
export class RouterMetrics {
  /** Figures of this router as a whole; metrics of plugins may be registered here. */
  readonly registry = new Registry();
  readonly #own = new OwnMetrics(this.registry);
  readonly #admission = new AdmissionMetrics(this.registry);
  readonly #process = processMetrics();
  readonly #incoming = new Map<string, number>();
  readonly #stats: RequestStatsService;
  readonly #scraper: EngineStatsScraper;
  readonly #series: LifetimeSeries;
  #state: ((engine: Engine) => HealthState) | null = null;
  #strategy: () => readonly StrategyFigure[] = () => [];

  constructor(stats: RequestStatsService, scraper: EngineStatsScraper, series: LifetimeSeries) {
    this.#stats = stats;
    this.#scraper = scraper;
    this.#series = series;
  }

  /** Says where gauges are read; each source may be bound once. */
  bindGauges({ state, strategy, version, ...gauges }: MetricSources): void {
    if (state) this.#state = state;
    if (strategy) this.#strategy = strategy;
    if (version !== undefined) this.#own.build(version);
    this.#own.bind(gauges);
  }

  /** Requests received, by model; bounded by `MAX_INCOMING_MODELS` and two more. */
  get incoming(): ReadonlyMap<string, number> {
    return this.#incoming;
  }

  /** A request was received. @param model a served name; null when no engine of the fleet serves it */
  arrived(model: string | null): void {
    const named = model ?? UNKNOWN_MODEL;
    const room = this.#incoming.has(named) || this.#incoming.size < MAX_INCOMING_MODELS;
    const label = room ? named : OTHER_MODELS;
    this.#incoming.set(label, (this.#incoming.get(label) ?? 0) + 1);
  }

  /** Counts what an event of an attempt tells. */
  observe(event: AttemptEvent): void {
    this.#series.observe(event);
  }

  /** A request goes to another engine. @param cause why the attempt before failed */
  retried(cause: string): void {
    this.#own.retries.count(cause);
  }

  /** A second attempt beside a late one has ended, or has begun to answer. @param outcome a word of the code */
  hedged(outcome: string): void {
    this.#own.hedges.count(outcome);
  }

  /** One of two attempts is over before either has begun to answer. @param second it is the one begun later */
  unhedged(second: boolean, outcome: AttemptOutcome): void {
    const left = outcome === 'client_left' ? 'client_left' : 'failed';
    this.hedged(second ? left : 'took_over');
  }

  /** A request is sent again on a fresh connection, since the reused one had been closed. */
  staleResend(): void {
    this.#own.staleResends.inc();
  }

  /** An engine is ejected. */
  ejected(engine: Engine, cause: string): void {
    countCause(this.#series.ofEngine(engine.url).ejections, cause);
  }

  /** A client left before its answer was complete. */
  clientLeft(): void {
    this.#own.clientDisconnects.inc();
  }

  /** The router answered a request itself. @param code `code` of the error */
  rejected(code: string): void {
    this.#own.rejections.count(code);
  }

  /** The gate of a model refused a request. @param model a served name */
  shed(model: string, reason: string): void {
    this.#admission.shed(model, reason);
  }

  /** The gate of a model sent a request on that it had held. @param model a served name */
  released(model: string, seconds: number): void {
    this.#admission.released(model, seconds);
  }

  /** A connection beyond `--max-connections` was closed, or its request refused. */
  connectionRefused(): void {
    this.#admission.connectionRefused();
  }

  /** Says where the gates are read; once. */
  bindGates(read: () => Iterable<GateFigures>): void {
    this.#admission.bind(read);
  }

  /** A stream broke off that might be continued. @param outcome what became of it, a word of the code */
  streamContinuation(outcome: string): void {
    this.#own.streamContinuations.count(outcome);
  }

  /** The dynamic file changed. */
  reloaded(outcome: AttemptedReload): void {
    this.#own.reloaded(outcome, Date.now() / 1000);
  }

  /** A counter that is there with the decision log alone. */
  countsDroppedDecisions(): (lines: number) => void {
    const counter = new Counter({
      name: 'vllm_router_decision_log_dropped_total',
      help: 'Lines of the decision log that were given up, since the file does not take them in time.',
      registers: [this.registry],
    });
    return (lines) => counter.inc(lines);
  }

  /** A counter that is there with tracing alone. */
  countsLostSpans(): (spans: number) => void {
    const counter = new Counter({
      name: 'vllm_router_trace_spans_lost_total',
      help: 'Spans of traces that the collector of --otel-endpoint did not take, or not in time.',
      registers: [this.registry],
    });
    return (spans) => counter.inc(spans);
  }

  /** All that `/metrics` tells of engines, as it is now. */
  figures(): MetricFigures {
    const figures = this.#stats.figuresByUrl();
    return {
      figures,
      scraped: this.scraped(),
      states: this.#state ? statesByUrl(this.#stats.engines, figures, this.#state) : new Map(),
      incoming: this.#incoming,
      lifetime: this.#series,
      strategy: this.#strategy(),
    };
  }

  /** What engines told of themselves last, by base URL. */
  scraped(): ReadonlyMap<string, EngineStats> {
    const scraped = new Map<string, EngineStats>();
    for (const engine of this.#stats.engines) {
      const stats = this.#scraper.statsOf(engine.id);
      if (stats) scraped.set(engine.url, stats);
    }
    return scraped;
  }

  /** The answer to `GET /metrics`, in the Prometheus text format 0.0.4. */
  async render(): Promise<RenderedMetrics> {
    return renderMetrics(this.figures(), this.registry, this.#process.registry);
  }
}
