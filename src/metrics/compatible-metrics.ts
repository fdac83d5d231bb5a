import { type HealthState, isUsable } from '../core/health/health-state.js';
import type { EngineStats } from '../core/prometheus-text.js';
import type { RequestFigures } from '../stats/request-figures.js';
import type { LifetimeSeries } from '../stats/lifetime-series.js';
import { labels, type MetricWriter } from './metric-writer.js';

/** What the compatible set is written from; engines by base URL. */
export interface CompatibleSources {
  readonly figures: ReadonlyMap<string, RequestFigures>;
  /** Of engines whose last scrape succeeded. */
  readonly scraped: ReadonlyMap<string, EngineStats>;
  /** The health of each engine; empty when nobody tells. */
  readonly states: ReadonlyMap<string, HealthState>;
  /** Requests that named a model, by model. */
  readonly incoming: ReadonlyMap<string, number>;
  readonly lifetime: LifetimeSeries;
}

/** Bounds of the original's latency histogram, seconds. */
const LATENCY_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** Gauges from what the router measured; null leaves no series, where the original shows -1. */
const FIGURES: readonly [name: string, help: string, of: (figures: RequestFigures) => number | null][] = [
  [
    'vllm:num_requests_running',
    'Requests that the router sent to the engine and that have not ended.',
    (f) => f.running,
  ],
  [
    'vllm:num_prefill_requests',
    'Requests sent to the engine whose first token has not come.',
    (f) => f.prefill,
  ],
  ['vllm:num_decoding_requests', 'Requests sent to the engine whose answer is under way.', (f) => f.decoding],
  ['vllm:current_qps', 'Requests sent to the engine per second, over the statistics window.', (f) => f.qps],
  [
    'vllm:avg_latency',
    'Mean seconds from sending a request to the end of its answer, over the window.',
    (f) => f.latency,
  ],
  [
    'vllm:avg_itl',
    'Mean seconds between two frames of a stream, over the statistics window.',
    (f) => f.interToken,
  ],
  [
    'vllm:avg_decoding_length',
    'Mean seconds from the first token to the end of an answer, over the statistics window.',
    (f) => f.decodingTime,
  ],
];

/** What the engine's own metrics tell. Counters are typed as such; the original types them gauge. */
const SCRAPED: readonly [
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  of: (stats: EngineStats) => number | null,
][] = [
  ['vllm:num_requests_waiting', 'gauge', "Requests in the engine's queue, as it tells.", (s) => s.waiting],
  [
    'vllm:num_requests_swapped',
    'gauge',
    'Requests swapped out of GPU memory; 0 on engines that never swap.',
    (s) => s.swapped ?? 0,
  ],
  [
    'vllm:gpu_prefix_cache_hit_rate',
    'gauge',
    'Hits by look-ups of the prefix cache, 0 to 1.',
    (s) => s.prefixCacheHitRate,
  ],
  [
    'vllm:gpu_prefix_cache_hits_total',
    'counter',
    'Hits of the prefix cache, in tokens.',
    (s) => s.prefixCacheHits,
  ],
  [
    'vllm:gpu_prefix_cache_queries_total',
    'counter',
    'Look-ups of the prefix cache, in tokens.',
    (s) => s.prefixCacheQueries,
  ],
];

/** Writes the metrics that the dashboards and scalers of production-stack's router read, under its names. */
export async function writeCompatibleMetrics(
  writer: MetricWriter,
  sources: CompatibleSources,
): Promise<void> {
  for (const [name, help, of] of FIGURES) {
    writer.family(name, 'gauge', help);
    for (const [url, figures] of sources.figures) writer.sample(labels({ server: url }), of(figures));
  }
  for (const [name, type, help, of] of SCRAPED) {
    writer.family(name, type, help);
    for (const [url, stats] of sources.scraped) writer.sample(labels({ server: url }), of(stats));
  }
  writer.family('vllm:healthy_pods_total', 'gauge', 'Whether the engine may be sent to now, 1 or 0.');
  for (const [url, state] of sources.states) {
    if (state !== 'draining') writer.sample(labels({ server: url }), isUsable(state) ? 1 : 0);
  }

  writer.family(
    'vllm:num_incoming_requests_total',
    'counter',
    'Requests received, by model, those that no engine could take included.',
  );
  for (const [model, count] of sources.incoming) writer.sample(labels({ model }), count);
  await writer.breathe();
  await writeByModel(writer, sources.lifetime);
}

async function writeByModel(writer: MetricWriter, lifetime: LifetimeSeries): Promise<void> {
  const models = [...lifetime.byUrl].flatMap(([url, { models: ofEngine }]) =>
    [...ofEngine].map(([model, series]) => ({ text: labels({ server: url, model }), series })),
  );
  writer.family('vllm:input_tokens_total', 'counter', 'Prompt tokens, as the engine reported them.');
  for (const { text, series } of models) writer.sample(text, series.promptTokens);
  writer.family('vllm:output_tokens_total', 'counter', 'Completion tokens, as the engine reported them.');
  for (const { text, series } of models) writer.sample(text, series.completionTokens);

  writer.family('vllm:request_errors_total', 'counter', 'Attempts that did not end well, by cause.');
  for (const { text, series } of models) {
    for (const [cause, count] of series.errors)
      writer.sample(`${text},${labels({ error_type: cause })}`, count);
  }
  writer.family(
    'vllm:request_latency_seconds',
    'histogram',
    'Time from sending a request to its end, by status; those whose client left are in neither.',
  );
  for (const { text, series } of models) {
    writer.histogram(`${text},status="success"`, series.duration, LATENCY_SECONDS);
    writer.histogram(`${text},status="error"`, series.failedDuration, LATENCY_SECONDS);
    await writer.breathe();
  }
}
