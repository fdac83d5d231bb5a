import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEngineStats } from '../../../../src/core/prometheus-text.js';
import { EngineMetrics } from '../../../../src/simulator/metrics/engine-metrics.js';
import { metricNumber } from '../../../../src/simulator/metrics/metric-text.js';
import { generationOf, VLLM_GENERATIONS } from '../../../../src/simulator/metrics/vllm-generation.js';
import { EngineModel } from '../../../../src/simulator/model/engine-model.js';
import { type EngineProfile, PROFILES } from '../../../../src/simulator/model/engine-profile.js';
import type { SequenceSpec } from '../../../../src/simulator/model/sequence.js';
import { prompt, spec } from '../model/driver.js';

/** The engine of the recording: 4096 blocks of 32 tokens, two LoRA slots, requests of up to 8192 tokens. */
const RECORDED: EngineProfile = { ...PROFILES.cpu, maxLoras: 2 };

const fixture = (name: string): string[] =>
  readFileSync(join(__dirname, '../../../fixtures/metrics', name), 'utf8')
    .trimEnd()
    .split('\n');

/** A line without its value. */
const named = (line: string): string => (line.startsWith('#') ? line : line.slice(0, line.lastIndexOf(' ')));

function run(specs: readonly SequenceSpec[], profile = RECORDED, lora = false) {
  const model = new EngineModel(profile);
  const startedAt = 1_795_352_115.25;
  const metrics = new EngineMetrics(model, { modelName: 'tiny', maxModelLen: 8192, startedAt, lora });
  let now = 0;
  const step = (): boolean => {
    const planned = model.beginStep(now);
    if (!planned) return false;
    now += planned.seconds;
    model.endStep(now, {
      token: (sequence) => metrics.observeToken(sequence, now),
      finished: (sequence) => metrics.observeFinished(sequence, now),
    });
    metrics.observeStep(startedAt + now);
    return true;
  };
  for (const one of specs) model.submit(one, now);
  const drain = (): void => {
    for (let running = true; running;) running = step();
  };
  return { model, metrics, step, drain };
}

const values = (text: string): Map<string, number> =>
  new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [named(line), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );

describe('the metrics of a simulated engine', () => {
  it('have every name, label, help and bucket of a recorded vLLM 0.32, in its order', () => {
    const adapter = 'lora1';
    const { metrics, drain } = run([spec({ adapter, maxTokens: 2 })], RECORDED, true);
    drain();
    metrics.observeSleep('sleep', 0.05);
    metrics.observeSleep('wake', 0.2);
    const hash = (line: string): string =>
      // Two settings with which the recorded engine was started.
      line
        .replace('prefix_caching_hash_algo="sha256_cbor"', 'prefix_caching_hash_algo="sha256"')
        .replace('kv_cache_memory_bytes="268435456"', 'kv_cache_memory_bytes="None"');
    const recorded = fixture('vllm-0.32-lora-sleep-complete.txt').map(named).map(hash);
    expect(metrics.text('0.32').trimEnd().split('\n').map(named)).toEqual(recorded);
  });

  it('count what a prompt, its hits and its tokens took, as the recorded engine counts them', () => {
    const promptTokens = prompt(65);
    const { metrics, drain, model } = run([spec({ promptTokens, maxTokens: 3 })]);
    drain();
    model.submit(spec({ promptTokens, maxTokens: 1 }), 1);
    let now = 1;
    now += model.beginStep(now)?.seconds ?? NaN;
    model.endStep(now, {
      token: (sequence) => metrics.observeToken(sequence, now),
      finished: (sequence) => metrics.observeFinished(sequence, now),
    });
    metrics.observeStep(0);
    metrics.observeRequest(2, 3);
    const shown = values(metrics.text('0.32'));
    const figure = (name: string, more = ''): number | undefined =>
      shown.get(`vllm:${name}{engine="0",${more}model_name="tiny"}`);
    expect(figure('prefix_cache_queries_total')).toBe(130);
    expect(figure('prefix_cache_hits_total')).toBe(64);
    expect(figure('prompt_tokens_total')).toBe(130);
    expect(figure('prompt_tokens_cached_total')).toBe(64);
    expect(
      shown.get('vllm:prompt_tokens_by_source_total{engine="0",model_name="tiny",source="local_compute"}'),
    ).toBe(66);
    expect(figure('generation_tokens_total')).toBe(4);
    expect(figure('request_success_total', 'finished_reason="length",')).toBe(2);
    // Computed tokens and generated ones: 65 + 1, 1, 1, then 1 + 1.
    expect(figure('iteration_tokens_total_sum')).toBe(70);
    expect(figure('iteration_tokens_total_count')).toBe(4);
    expect(figure('time_to_first_token_seconds_count')).toBe(2);
    expect(figure('time_to_first_token_seconds_sum')).toBeCloseTo(2.5e-3 + 65e-4 + 2.5e-3 + 1e-4, 12);
    expect(figure('inter_token_latency_seconds_count')).toBe(2);
    expect(figure('inter_token_latency_seconds_sum')).toBeCloseTo(2 * 2.8e-3, 12);
    expect(figure('request_decode_time_seconds_sum')).toBeCloseTo(2 * 2.8e-3, 12);
    expect(figure('request_time_per_output_token_seconds_sum')).toBeCloseTo(2.8e-3, 12);
    expect(figure('request_prefill_kv_computed_tokens_sum')).toBe(66);
    expect(figure('request_params_max_tokens_sum')).toBe(4);
    expect(figure('request_params_n_sum')).toBe(2);
    expect(figure('request_max_num_generation_tokens_sum')).toBe(3);
    expect(figure('kv_cache_usage_perc')).toBe(0);
  });

  it('show gauges as the last step left them', () => {
    const { metrics, model, step } = run([spec({ promptTokens: prompt(64) }), spec()]);
    const gauges = (): unknown => readEngineStats(metrics.text('0.32'));
    expect(gauges()).toMatchObject({ running: 0, waiting: 0, kvCacheUsage: 0 });
    step();
    expect(gauges()).toMatchObject({ running: 2, waiting: 0, kvCacheUsage: 3 / 4095 });
    model.submit(spec(), 1);
    expect(gauges()).toMatchObject({ running: 2, waiting: 0 });
    metrics.readGauges();
    expect(gauges()).toMatchObject({ running: 2, waiting: 1 });
  });

  it('keep a series for each combination of adapters, the greatest being the present one', () => {
    const { metrics, step, drain } = run(
      [spec({ adapter: 'b' }), spec({ adapter: 'a' }), spec()],
      RECORDED,
      true,
    );
    step();
    expect(metrics.text('0.32')).toContain(
      'vllm:lora_requests_info{max_lora="2",running_lora_adapters="b,a",waiting_lora_adapters="b,a"} 1.7',
    );
    drain();
    const series = [...values(metrics.text('0.32'))].filter(([name]) => name.includes('lora_requests_info'));
    expect(series).toHaveLength(2);
    const [latest] = series.sort(([, one], [, other]) => other - one);
    expect(latest?.[0]).toBe(
      'vllm:lora_requests_info{max_lora="2",running_lora_adapters="",waiting_lora_adapters=""}',
    );
  });

  it('show sleep, and who was turned away', () => {
    const model = new EngineModel(RECORDED, { maxQueuedRequests: 1 });
    const metrics = new EngineMetrics(model, { modelName: 'a "b"', maxModelLen: 100, startedAt: 1 });
    expect(model.submit(spec(), 0)).not.toBe('queue_full');
    expect(model.submit(spec(), 0)).toBe('queue_full');
    metrics.sleepLevel = 1;
    const text = metrics.text('0.32');
    expect(readEngineStats(text)).toMatchObject({ awake: false });
    expect(text).toContain('sleep_state="weights_offloaded"} 1.0');
    expect(text).toContain(
      'vllm:admission_rejections_total{model_name="a \\"b\\"",reason="max_num_queued_reqs"} 1.0',
    );
  });

  it.each(VLLM_GENERATIONS)('of vLLM %s are read whole', (generation) => {
    const { metrics, drain } = run([spec({ promptTokens: prompt(64) }), spec({ promptTokens: prompt(65) })]);
    drain();
    const inBlocks = generation === '0.8';
    expect(readEngineStats(metrics.text(generation))).toEqual({
      running: 0,
      waiting: 0,
      swapped: null,
      kvCacheUsage: 0,
      prefixCacheQueries: inBlocks ? 4 : 129,
      prefixCacheHits: inBlocks ? 2 : 64,
      prefixCacheHitRate: inBlocks ? 2 / 4 : 64 / 129,
      awake: generation === '0.8' || generation === '0.10' ? null : true,
      promptTokens: 129,
      generationTokens: 8,
      iterations: 4,
      prefillSeconds: expect.closeTo(0.018, 6),
      blockSize: 32,
      numGpuBlocks: 4096,
    });
  });

  it('have the names of each generation', () => {
    const { metrics } = run([]);
    const names = (generation: (typeof VLLM_GENERATIONS)[number]): Set<string> =>
      new Set(
        [...metrics.text(generation).matchAll(/^# TYPE vllm:(\S+) (?!gauge.*_created)/gm)].map(
          ([, name]) => name as string,
        ),
      );
    const without = (older: Set<string>, newer: Set<string>): string[] =>
      [...older].filter((name) => !newer.has(name) && !name.endsWith('_created'));
    const [v8, v10, v28, v32] = VLLM_GENERATIONS.map(names) as [
      Set<string>,
      Set<string>,
      Set<string>,
      Set<string>,
    ];
    expect(without(v8, v10)).toEqual([]);
    expect(without(v10, v8)).toEqual([
      'kv_cache_usage_perc',
      'prefix_cache_queries_total',
      'prefix_cache_hits_total',
    ]);
    expect(without(v10, v28)).toEqual([
      'gpu_cache_usage_perc',
      'gpu_prefix_cache_queries_total',
      'gpu_prefix_cache_hits_total',
      'time_per_output_token_seconds',
    ]);
    expect(without(v28, v32)).toEqual([]);
    expect(without(v32, v28)).toEqual([
      'estimated_flops_per_gpu_total',
      'estimated_read_bytes_per_gpu_total',
      'estimated_write_bytes_per_gpu_total',
      'prompt_tokens_cached_by_source_total',
      'admission_rejections_total',
      'request_num_preemptions',
    ]);
  });
});

describe('a number in the text format', () => {
  it.each([
    [0, '0.0'],
    [1, '1.0'],
    [0.001, '0.001'],
    [0.00005, '5e-05'],
    [999_999, '999999.0'],
    [1_000_000, '1e+06'],
    [1_234_567, '1.234567e+06'],
    [1_795_352_115.25, '1.79535211525e+09'],
    [12_345_678_901, '1.2345678901e+010'],
  ])('%p is %s', (value, text) => expect(metricNumber(value)).toBe(text));
});

describe('the generation of a version', () => {
  it.each([
    ['0.6.3', '0.8'],
    ['0.8.5', '0.8'],
    ['0.11.2', '0.10'],
    ['0.28.0', '0.28'],
    ['0.31.0', '0.28'],
    ['0.32.0', '0.32'],
    ['1.0.0', '0.32'],
  ])('%s is %s', (version, generation) => expect(generationOf(version)).toBe(generation));
});
