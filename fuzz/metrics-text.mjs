import fc from 'fast-check';
import { readEngineStats } from '../dist/core/prometheus-text.js';
import { anyText, must } from './texts.mjs';

const name = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'vllm:num_requests_running',
      'vllm:num_requests_waiting',
      'vllm:kv_cache_usage_perc',
      'vllm:gpu_cache_usage_perc',
      'vllm:prefix_cache_hits_total',
      'vllm:prefix_cache_queries_total',
      'vllm:cache_config_info',
      'vllm:engine_sleep_state',
      'vllm:prompt_tokens_total',
      'process_start_time_seconds',
    ),
  },
  { weight: 1, arbitrary: anyText(20) },
);
const label = fc.tuple(
  fc.oneof(
    fc.constantFrom('engine', 'model_name', 'block_size', 'num_gpu_blocks', 'sleep_state', '__proto__'),
    anyText(8),
  ),
  fc.oneof(fc.constantFrom('0', 'awake', '16', '\\"', '\\', '"', '{', '}', ',', '\\n'), anyText(8)),
);
const value = fc.oneof(
  fc.constantFrom(
    '0',
    '1',
    'NaN',
    '+Inf',
    '-Inf',
    '1e999',
    '-1',
    '0x10',
    '',
    '1 1795351837000',
    '1_000',
    '٣',
  ),
  fc.double().map(String),
  anyText(8),
);
const line = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(name, fc.array(label, { maxLength: 4 }), value)
      .map(
        ([metric, labels, number]) =>
          `${metric}${labels.length > 0 ? `{${labels.map(([key, text]) => `${key}="${text}"`).join(',')}}` : ''} ${number}`,
      ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('# TYPE vllm:x gauge', '# HELP', '#', '\r', '{', '{}', '{="', 'a{b="c'),
  },
  { weight: 1, arbitrary: anyText(80) },
);

export function metricsText() {
  const property = fc.property(
    fc.array(line, { maxLength: 30 }),
    fc.constantFrom('\n', '\r\n'),
    (lines, end) => {
      const stats = readEngineStats(lines.join(end));
      for (const [field, read] of Object.entries(stats)) {
        const fits =
          read === null || read === undefined || typeof read === 'boolean' || Number.isFinite(read);
        must(fits, `${field} is ${read}`);
      }
    },
  );
  return { property };
}
