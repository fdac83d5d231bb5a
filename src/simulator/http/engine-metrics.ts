import type { EngineState } from './engine-state.js';

/** As vLLM's, which may serve OpenMetrics when asked for it; this one never does. */
export const METRICS_TYPE = 'text/plain; version=1.0.0; charset=utf-8';

/** KV cache size of the recorded engine: 4096 blocks of 32 tokens. */
const CACHE_TOKENS = 131_072;

/** A number as prometheus_client writes it: always a float, with an exponent from 1e6 on. */
function float(value: number): string {
  if (value < 1_000_000) return Number.isInteger(value) ? `${value}.0` : String(value);
  const digits = Number.isInteger(value) ? `${value}.0` : String(value);
  const dot = digits.indexOf('.');
  const mantissa = `${digits[0]}.${digits.slice(1, dot)}${digits.slice(dot + 1)}`.replace(/[0.]+$/, '');
  return `${mantissa}e+${String(dot - 1).padStart(2, '0')}`;
}

type Series = readonly (readonly [labels: string, value: number])[];

function family(name: string, type: string, help: string, series: Series): string {
  const lines = series.map(([labels, value]) => `${name}{${labels}} ${float(value)}`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`;
}

/** `GET /metrics`: the families that a router reads, in vLLM's names, labels, order and number format. */
export function renderMetrics(state: EngineState): string {
  const name = state.firstName.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
  const model = `model_name="${name}"`;
  const labels = `engine="0",${model}`;
  const gauge = (metric: string, help: string, series: Series): string =>
    family(`vllm:${metric}`, 'gauge', help, series);
  const counter = (metric: string, help: string, series: Series): string =>
    family(`vllm:${metric}_total`, 'counter', help, series) +
    family(
      `vllm:${metric}_created`,
      'gauge',
      help,
      series.map(([label]) => [label, state.createdAt]),
    );
  const { slots, cache, finished } = state;
  return [
    gauge('num_requests_running', 'Number of requests in model execution batches.', [
      [labels, slots.running],
    ]),
    gauge('num_requests_waiting', 'Number of requests waiting to be processed.', [[labels, slots.waiting]]),
    gauge('num_requests_waiting_by_reason', 'Number of waiting requests by reason.', [
      [`${labels},reason="capacity"`, slots.waiting],
      [`${labels},reason="deferred"`, 0],
    ]),
    gauge('engine_sleep_state', 'Engine sleep state; awake = 0 means engine is sleeping.', [
      [`${labels},sleep_state="awake"`, 1],
      [`${labels},sleep_state="weights_offloaded"`, 0],
      [`${labels},sleep_state="discard_all"`, 0],
    ]),
    gauge('kv_cache_usage_perc', 'KV-cache usage. 1 means 100 percent usage.', [
      [labels, Math.min(1, state.heldTokens / CACHE_TOKENS)],
    ]),
    counter('prefix_cache_queries', 'Prefix cache queries, in terms of number of queried tokens.', [
      [labels, cache.queries],
    ]),
    counter('prefix_cache_hits', 'Prefix cache hits, in terms of number of cached tokens.', [
      [labels, cache.hits],
    ]),
    counter('prompt_tokens', 'Number of prefill tokens processed.', [[labels, state.promptTokens]]),
    counter('generation_tokens', 'Number of generation tokens processed.', [
      [labels, state.generationTokens],
    ]),
    counter('request_success', 'Count of successfully processed requests.', [
      [`engine="0",finished_reason="stop",${model}`, finished.stop],
      [`engine="0",finished_reason="length",${model}`, finished.length],
      [`engine="0",finished_reason="abort",${model}`, finished.abort],
      [`engine="0",finished_reason="error",${model}`, 0],
      [`engine="0",finished_reason="repetition",${model}`, 0],
    ]),
    gauge('cache_config_info', 'Information of the LLMEngine CacheConfig', [
      [
        'block_size="32",cache_dtype="auto",enable_prefix_caching="True",engine="0",' +
          `kv_cache_size_tokens="${CACHE_TOKENS}",num_cpu_blocks="None",num_gpu_blocks="4096",` +
          'prefix_caching_hash_algo="sha256"',
        1,
      ],
    ]),
  ].join('');
}
