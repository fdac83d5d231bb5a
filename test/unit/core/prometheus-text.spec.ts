import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { type EngineStats, readEngineStats } from '../../../src/core/prometheus-text.js';
import { anyText } from '../../support/any-text.js';

const sample = (name: string): string =>
  readFileSync(join(__dirname, '../../fixtures/metrics', `${name}.txt`), 'utf8');

const NOTHING: EngineStats = {
  running: null,
  waiting: null,
  swapped: null,
  kvCacheUsage: null,
  prefixCacheQueries: null,
  prefixCacheHits: null,
  prefixCacheHitRate: null,
  awake: null,
  promptTokens: null,
  generationTokens: null,
  blockSize: null,
  numGpuBlocks: null,
};

describe('readEngineStats', () => {
  it('reads an answer of vLLM 0.32', () => {
    expect(readEngineStats(sample('vllm-0.32-full'))).toEqual({
      running: 0,
      waiting: 0,
      swapped: null,
      kvCacheUsage: 0,
      prefixCacheQueries: 589,
      prefixCacheHits: 256,
      prefixCacheHitRate: 256 / 589,
      awake: true,
      promptTokens: 589,
      generationTokens: 108,
      blockSize: 32,
      numGpuBlocks: 4096,
    });
  });

  it('tells no hit rate before anything was looked up', () => {
    expect(readEngineStats(sample('vllm-0.32-plain'))).toMatchObject({
      prefixCacheQueries: 129,
      prefixCacheHits: 0,
      prefixCacheHitRate: 0,
    });
    const idle = 'vllm:prefix_cache_queries_total{} 0.0\nvllm:prefix_cache_hits_total{} 0.0\n';
    expect(readEngineStats(idle)).toMatchObject({
      prefixCacheQueries: 0,
      prefixCacheHits: 0,
      prefixCacheHitRate: null,
    });
  });

  it('reads the names of vLLM V0', () => {
    expect(readEngineStats(sample('vllm-0.6'))).toEqual({
      ...NOTHING,
      running: 3,
      waiting: 12,
      swapped: 1,
      kvCacheUsage: 0.4375,
      prefixCacheHitRate: 0.75,
      promptTokens: 1_234_567,
      generationTokens: 98_765,
      blockSize: 16,
      numGpuBlocks: 7000,
    });
  });

  it('reads the names of vLLM 0.8, and no rate that V0 gives as -1', () => {
    const text = [
      'vllm:gpu_cache_usage_perc{model_name="m"} 0.5',
      'vllm:gpu_prefix_cache_hits{model_name="m"} 30.0',
      'vllm:gpu_prefix_cache_queries{model_name="m"} 40.0',
      'vllm:gpu_prefix_cache_hit_rate{model_name="m"} -1.0',
    ].join('\n');
    expect(readEngineStats(text)).toEqual({
      ...NOTHING,
      kvCacheUsage: 0.5,
      prefixCacheHits: 30,
      prefixCacheQueries: 40,
      prefixCacheHitRate: 0.75,
    });
    expect(readEngineStats('vllm:gpu_prefix_cache_hit_rate -1.0').prefixCacheHitRate).toBeNull();
  });

  it.each([[false], [true]])(
    'counts nothing twice where both names are there (old first: %p)',
    (oldFirst) => {
      const lines = [
        'vllm:gpu_cache_usage_perc{engine="0"} 0.9',
        'vllm:kv_cache_usage_perc{engine="0"} 0.2',
        'vllm:gpu_prefix_cache_hits_total{engine="0"} 7',
        'vllm:prefix_cache_hits_total{engine="0"} 5',
        'vllm:prefix_cache_hits_total{engine="1"} 5',
      ];
      const text = (oldFirst ? lines : lines.reverse()).join('\n');
      expect(readEngineStats(text)).toMatchObject({ kvCacheUsage: 0.2, prefixCacheHits: 10 });
    },
  );

  it('sums ranks and model names, takes the fullest cache, and wants every rank awake', () => {
    const text = [
      'vllm:num_requests_running{engine="0",model_name="a"} 2.0',
      'vllm:num_requests_running{engine="1",model_name="a"} 3.0',
      'vllm:num_requests_running{engine="1",model_name="b"} 4.0',
      'vllm:kv_cache_usage_perc{engine="0"} 0.1',
      'vllm:kv_cache_usage_perc{engine="1"} 0.7',
      'vllm:engine_sleep_state{engine="0",sleep_state="awake"} 1.0',
      'vllm:engine_sleep_state{engine="1",sleep_state="awake"} 0.0',
      'vllm:engine_sleep_state{engine="1",sleep_state="weights_offloaded"} 1.0',
      'vllm:cache_config_info{block_size="16",engine="0",num_gpu_blocks="100"} 1.0',
      'vllm:cache_config_info{block_size="16",engine="1",num_gpu_blocks="150"} 1.0',
    ].join('\n');
    expect(readEngineStats(text)).toEqual({
      ...NOTHING,
      running: 9,
      kvCacheUsage: 0.7,
      awake: false,
      blockSize: 16,
      numGpuBlocks: 250,
    });
  });

  it.each([
    ['CRLF line ends', 'vllm:num_requests_running{a="b"} 4\r\nvllm:num_requests_waiting 1\r\n', 4],
    ['a timestamp', 'vllm:num_requests_running{a="b"} 4 1795353026000', 4],
    ['an OpenMetrics exemplar', 'vllm:num_requests_running{a="b"} 4 # {trace="x"} 9 1.5', 4],
    ['e-notation', 'vllm:num_requests_running 1.234567e+06', 1_234_567],
    ['no labels and a tab', 'vllm:num_requests_running\t4', 4],
    ['space before and in the labels', 'vllm:num_requests_running { a = "b" , c="d", } 4', 4],
    ['escapes', String.raw`vllm:num_requests_running{a="x\"} 9 \\",b="\n\q"} 4`, 4],
    ['a brace in a value', 'vllm:num_requests_running{a="} 9"} 4', 4],
    ['no final newline after other families', '# TYPE x gauge\nx{y="z"} 1\n\nvllm:num_requests_running 4', 4],
    ['not a number', 'vllm:num_requests_running NaN', null],
    ['no finite number', 'vllm:num_requests_running +Inf\nvllm:num_requests_running -Inf', null],
    ['a negative count', 'vllm:num_requests_running -4', null],
    ['a number too large to be true', 'vllm:num_requests_running 1e300', null],
    ['words', 'vllm:num_requests_running many', null],
    ['no value', 'vllm:num_requests_running{a="b"}', null],
    ['an open brace', 'vllm:num_requests_running{a="b" 4', null],
    ['an open quote', 'vllm:num_requests_running{a="b} 4', null],
    ['an unquoted value', 'vllm:num_requests_running{a=b} 4', null],
    ['a longer name', 'vllm:num_requests_running_total 4', null],
    ['a comment', '# vllm:num_requests_running 4', null],
    ['anything behind the end', '# EOF\nvllm:num_requests_running 4', null],
  ])('copes with %s', (_what, text, running) => {
    expect(readEngineStats(text).running).toBe(running);
  });

  it('takes a share above 1 as 1, and block counts of "None" as untold', () => {
    const text =
      'vllm:kv_cache_usage_perc 1.5\nvllm:cache_config_info{block_size="16",num_gpu_blocks="None"} 1.0';
    expect(readEngineStats(text)).toEqual({ ...NOTHING, kvCacheUsage: 1, blockSize: 16 });
  });

  it('never throws, whatever an engine sends', () => {
    const bits = fc.constantFrom(
      'vllm:num_requests_running',
      'vllm:cache_config_info',
      'vllm:engine_sleep_state',
      '{',
      '}',
      '"',
      '\\',
      '=',
      ',',
      ' ',
      '\n',
      '\r',
      '1e5',
      '+Inf',
      'NaN',
      'sleep_state="awake"',
      '# EOF',
      '\0',
      '\ud800',
    );
    const texts = fc.oneof(
      anyText(),
      fc.array(bits, { maxLength: 60 }).map((some) => some.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        for (const value of Object.values(readEngineStats(text))) {
          expect(value === null || typeof value === 'boolean' || (Number.isFinite(value) && value >= 0)).toBe(
            true,
          );
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('reads when the process was started, where it is told', () => {
    const text = '# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1.79535206444e+09\n';
    expect(readEngineStats(text).startedAt).toBe(1_795_352_064.44);
    expect(
      'startedAt' in readEngineStats('process_start_time_seconds NaN\nvllm:num_requests_running 1'),
    ).toBe(false);
  });

  it('passes over lines, labels and samples beyond its bounds', () => {
    const line = `vllm:num_requests_running{a="${'x'.repeat(70_000)}"} 4`;
    expect(readEngineStats(`${line}\nvllm:num_requests_waiting 2`)).toMatchObject({
      running: null,
      waiting: 2,
    });
    const labels = Array.from({ length: 300 }, (_, i) => `l${i}="v"`).join(',');
    expect(readEngineStats(`vllm:num_requests_running{${labels}} 4`).running).toBeNull();
    expect(readEngineStats('vllm:num_requests_running 1\n'.repeat(12_000)).running).toBe(10_000);
  });

  it('sums to finite numbers', () => {
    const text = 'vllm:num_requests_running 1e15\n'.repeat(9_000);
    expect(Number.isFinite(readEngineStats(text).running)).toBe(true);
  });
});
