import { Counter, Gauge, type Registry } from 'prom-client';
import type { HealthState } from '../core/health/health-state.js';
import type { ReloadOutcome } from '../dynamic-config/reload-listener.js';
import type { EngineStats } from '../core/prometheus-text.js';
import type { RequestFigures } from '../stats/request-figures.js';
import { type EngineSeries, type LifetimeSeries, type ModelSeries } from '../stats/lifetime-series.js';
import { writeEngineStates } from './engine-states.js';
import { CauseCounter } from './cause-counter.js';
import { labels, type MetricWriter } from './metric-writer.js';

/** How an attempt to put the dynamic file in force ended. */
export type AttemptedReload = Exclude<ReloadOutcome, 'unchanged'>;

/** What the router reads off its parts at each scrape; a part that is not bound leaves no series. */
export interface BoundGauges {
  /** Bytes of request bodies held now. */
  readonly bodyMemory?: () => number;
  /** Whether discovery follows its source. */
  readonly discoveryUp?: () => boolean;
}

/** Figures of the router as a whole, in prom-client's terms. */
export class OwnMetrics {
  readonly retries: CauseCounter;
  readonly rejections: CauseCounter;
  readonly streamContinuations: CauseCounter;
  readonly hedges: CauseCounter;
  readonly staleResends: Counter;
  readonly clientDisconnects: Counter;
  readonly #reloads: CauseCounter;
  readonly #lastReloadSuccess: Gauge;
  readonly #lastReloadTime: Gauge;
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
    const registers = [registry];
    this.retries = new CauseCounter(
      registry,
      'vllm_router_retries_total',
      'cause',
      'Attempts that followed a failed one on another engine, by the cause of the failure.',
    );
    this.rejections = new CauseCounter(
      registry,
      'vllm_router_rejections_total',
      'code',
      'Requests that the router answered itself with an error, by the code of the error.',
    );
    this.streamContinuations = new CauseCounter(
      registry,
      'vllm_router_stream_continuations_total',
      'outcome',
      'Streams that broke off after their first output with --stream-failover continue, by what became of them.',
    );
    this.hedges = new CauseCounter(
      registry,
      'vllm_router_hedges_total',
      'outcome',
      'Second attempts that were begun beside a late first one, by how they went.',
    );
    this.#reloads = new CauseCounter(
      registry,
      'vllm_router_config_reloads_total',
      'outcome',
      'Changed contents of the dynamic configuration file, by outcome: applied, or rejected whole.',
    );
    this.staleResends = new Counter({
      name: 'vllm_router_stale_socket_resends_total',
      help: 'Requests sent again on a fresh connection because the engine had closed the reused one.',
      registers,
    });
    this.clientDisconnects = new Counter({
      name: 'vllm_router_client_disconnects_total',
      help: 'Requests whose client left before the answer was complete.',
      registers,
    });
    // Without a label prom-client would show 0 before the first reload.
    this.#lastReloadSuccess = new Gauge({
      name: 'vllm_router_config_last_reload_success',
      help: 'Whether the newest contents of the dynamic configuration file were applied, 1 or 0.',
      registers,
    });
    this.#lastReloadTime = new Gauge({
      name: 'vllm_router_config_last_reload_timestamp_seconds',
      help: 'When the newest contents of the dynamic configuration file were read, seconds since the epoch.',
      registers,
    });
    this.#lastReloadSuccess.remove();
    this.#lastReloadTime.remove();
  }

  /** @param now seconds since the epoch */
  reloaded(outcome: AttemptedReload, now: number): void {
    this.#reloads.count(outcome);
    this.#lastReloadSuccess.set(outcome === 'applied' ? 1 : 0);
    this.#lastReloadTime.set(now);
  }

  /** Binds what is read at each scrape; each part may be bound once. */
  bind({ bodyMemory, discoveryUp }: BoundGauges): void {
    if (bodyMemory) {
      this.#gauge(
        'vllm_router_body_memory_bytes',
        'Bytes of request bodies that the router holds.',
        bodyMemory,
      );
    }
    if (discoveryUp) {
      const help =
        'Whether the router follows the source of its engines, 1 or 0; at 0 the last known set stands.';
      this.#gauge('vllm_router_discovery_up', help, () => (discoveryUp() ? 1 : 0));
    }
  }

  /** Says which build this is. */
  build(version: string): void {
    new Gauge({
      name: 'vllm_router_build_info',
      help: 'Always 1; the labels tell the version of the router and of Node.js.',
      labelNames: ['version', 'node'],
      registers: [this.#registry],
    }).set({ version, node: process.versions.node }, 1);
  }

  #gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect: () => gauge.set(read()),
    });
  }
}

interface Labelled {
  readonly text: string;
  readonly series: ModelSeries;
}

/** What our own families of engines are written from; engines by base URL. */
export interface OwnSources {
  readonly lifetime: LifetimeSeries;
  readonly figures: ReadonlyMap<string, RequestFigures>;
  readonly states: ReadonlyMap<string, HealthState>;
  readonly scraped: ReadonlyMap<string, EngineStats>;
}

/** Writes our own families of engines; `engine` is the base URL, equal to `server` of the compatible set. */
export async function writeOwnMetrics(
  writer: MetricWriter,
  { lifetime, figures, states, scraped }: OwnSources,
): Promise<void> {
  const engines: [text: string, series: EngineSeries][] = [];
  const models: Labelled[] = [];
  for (const [url, series] of lifetime.byUrl) {
    engines.push([labels({ engine: url }), series]);
    for (const [model, ofModel] of series.models) {
      models.push({ text: labels({ engine: url, model }), series: ofModel });
    }
  }

  writer.family(
    'vllm_router_requests_total',
    'counter',
    'Attempts that ended on an engine, by outcome; a request that was retried counts on each engine it met.',
  );
  for (const { text, series } of models) {
    for (const [outcome, count] of series.outcomes) writer.sample(`${text},${labels({ outcome })}`, count);
  }

  writer.family(
    'vllm_router_tokens_total',
    'counter',
    'Tokens of answered requests, as the engines reported them.',
  );
  for (const { text, series } of models) {
    writer.sample(`${text},kind="prompt"`, series.promptTokens);
    writer.sample(`${text},kind="completion"`, series.completionTokens);
    writer.sample(`${text},kind="cached"`, series.cachedTokens);
  }

  const histograms = [
    [
      'vllm_router_time_to_first_token_seconds',
      'Time from sending a request to an engine to its first token.',
      (series: ModelSeries) => series.timeToFirstToken,
    ],
    [
      'vllm_router_inter_token_latency_seconds',
      'Time between two frames of one stream, as they came from the engine.',
      (series: ModelSeries) => series.interToken,
    ],
    [
      'vllm_router_request_duration_seconds',
      'Time from sending a request to an engine to the end of its answer, of attempts that ended well.',
      (series: ModelSeries) => series.duration,
    ],
  ] as const;
  for (const [name, help, of] of histograms) {
    writer.family(name, 'histogram', help);
    for (const { text, series } of models) {
      writer.histogram(text, of(series));
      await writer.breathe();
    }
  }

  writeEngineStates(writer, states);
  writer.family('vllm_router_ejections_total', 'counter', 'Times an engine was ejected, by cause.');
  for (const [text, { ejections }] of engines) {
    for (const [cause, count] of ejections) writer.sample(`${text},${labels({ cause })}`, count);
  }

  writer.family(
    'vllm_router_engine_scrape_failures_total',
    'counter',
    "Scrapes of an engine's metrics that failed.",
  );
  for (const [text, { scrapeFailures }] of engines) {
    if (scrapeFailures > 0) writer.sample(text, scrapeFailures);
  }

  writer.family(
    'vllm_router_requests_in_flight',
    'gauge',
    'Requests sent to an engine and not ended, by phase: prefill until the first token, then decoding.',
  );
  for (const [url, { prefill, decoding }] of figures) {
    const text = labels({ engine: url });
    writer.sample(`${text},phase="prefill"`, prefill).sample(`${text},phase="decoding"`, decoding);
  }

  writer.family(
    'vllm_router_engine_uptime_seconds',
    'gauge',
    'Time since the first request sent to an engine.',
  );
  for (const [url, { uptime }] of figures) writer.sample(labels({ engine: url }), uptime);

  writer.family(
    'vllm_router_engine_kv_cache_usage',
    'gauge',
    'Used share of the KV cache of an engine, 0 to 1, as it tells; of several ranks the fullest.',
  );
  for (const [url, { kvCacheUsage }] of scraped) writer.sample(labels({ engine: url }), kvCacheUsage);
  await writer.breathe();
}
