import { spawnSync } from 'node:child_process';
import { register } from 'prom-client';
import type { Engine } from '../../../src/core/engine.js';
import { STATES } from '../../../src/core/health/health-state.js';
import { readEngineStats, type EngineStats } from '../../../src/core/prometheus-text.js';
import { processMetrics } from '../../../src/metrics/process-metrics.js';
import { RouterMetrics } from '../../../src/metrics/router-metrics.js';
import type { EngineStatsScraper } from '../../../src/stats/engine-stats.scraper.js';
import { LifetimeSeries } from '../../../src/stats/lifetime-series.js';
import { RequestStatsService } from '../../../src/stats/request-stats.service.js';
import { engine, request, settings, TestAttempt, TestClock } from '../stats/attempts.js';
import { lint, readFamilies } from './exposition.js';

const A = engine('http://a:8000', ['tiny', 'lora1']);
const B = engine('http://b:8000');

function setUp() {
  const clock = new TestClock();
  const series = new LifetimeSeries();
  const scraped = new Map<string, EngineStats>();
  const scraper = { statsOf: (id: string) => scraped.get(id) ?? null } as EngineStatsScraper;
  const stats = new RequestStatsService(settings(), scraper, series, clock);
  const metrics = new RouterMetrics(stats, scraper, series);
  const attempt = (to: Engine = A, facts = request(), number = 1) =>
    new TestAttempt(clock, to, facts, [stats, metrics], number);
  const families = async () => readFamilies((await metrics.render()).text);
  /** The samples of one family; null when it is not there. */
  const samples = async (name: string) => {
    const family = (await families()).get(name);
    return family && Object.fromEntries(family.samples);
  };
  return { clock, series, scraped, stats, metrics, attempt, families, samples };
}

type World = ReturnType<typeof setUp>;

/** Something of everything, so that every family has a sample. */
async function exercise({ clock, scraped, stats, metrics, attempt }: World): Promise<void> {
  stats.retain({ engines: [A, B] });
  scraped.set(
    A.id,
    readEngineStats(
      'vllm:num_requests_waiting 4\nvllm:prefix_cache_queries_total 100\nvllm:prefix_cache_hits_total 25\n',
    ),
  );
  metrics.bindGauges({
    bodyMemory: () => 4096,
    discoveryUp: () => true,
    state: ({ id }) => (id === A.id ? 'suspect' : 'ejected'),
    version: '1.2.3',
  });
  const facts = request();
  metrics.arrived('tiny');
  attempt(B, facts).dispatch().finish({ outcome: 'failed', cause: 'refused', status: null });
  metrics.ejected(B, 'refused');
  metrics.retried('refused');
  const second = attempt(A, facts, 2).dispatch();
  clock.pass(0.5);
  second.firstToken();
  stats.interToken(A, 'tiny').observe(0.02);
  clock.pass(1);
  second.finish({ usage: { prompt: 100, completion: 7, cached: 64 } });
  attempt(A, request('lora1')).dispatch();
  metrics.arrived(null);
  metrics.rejected('model_not_found');
  metrics.clientLeft();
  metrics.staleResend();
  metrics.reloaded('applied');
  metrics.reloaded('rejected');
  stats.figuresByUrl();
  await processMetrics().usage.look();
}

describe('RouterMetrics', () => {
  it('shows the compatible set with what was measured', async () => {
    const world = setUp();
    await exercise(world);
    const { samples } = world;
    const server = (name: string, url = A.url) => `${name}{server="${url}"}`;
    for (const [name, a, b] of [
      ['vllm:num_requests_running', 1, 0],
      ['vllm:num_prefill_requests', 1, 0],
      ['vllm:num_decoding_requests', 0, 0],
      ['vllm:current_qps', 2 / 60, 1 / 60],
      ['vllm:avg_latency', 1.5, undefined],
      ['vllm:avg_itl', 0.02, undefined],
      ['vllm:avg_decoding_length', 1, undefined],
      ['vllm:num_requests_waiting', 4, undefined],
      ['vllm:num_requests_swapped', 0, undefined],
      ['vllm:gpu_prefix_cache_hit_rate', 0.25, undefined],
      ['vllm:gpu_prefix_cache_hits_total', 25, undefined],
      ['vllm:gpu_prefix_cache_queries_total', 100, undefined],
      ['vllm:healthy_pods_total', 1, 0],
    ] as const) {
      const expected = { [server(name)]: a, ...(b === undefined ? {} : { [server(name, B.url)]: b }) };
      expect(await samples(name)).toEqual(expected);
    }
    expect(await samples('vllm:num_incoming_requests_total')).toEqual({
      'vllm:num_incoming_requests_total{model="tiny"}': 1,
      'vllm:num_incoming_requests_total{model="unknown"}': 1,
    });
    const tiny = `server="${A.url}",model="tiny"`;
    expect(await samples('vllm:input_tokens_total')).toEqual({ [`vllm:input_tokens_total{${tiny}}`]: 100 });
    expect(await samples('vllm:output_tokens_total')).toEqual({ [`vllm:output_tokens_total{${tiny}}`]: 7 });
    expect(await samples('vllm:request_errors_total')).toEqual({
      [`vllm:request_errors_total{server="${B.url}",model="tiny",error_type="refused"}`]: 1,
    });
    expect(await samples('vllm:request_latency_seconds')).toMatchObject({
      [`vllm:request_latency_seconds_bucket{${tiny},status="success",le="1"}`]: 0,
      [`vllm:request_latency_seconds_bucket{${tiny},status="success",le="2.5"}`]: 1,
      [`vllm:request_latency_seconds_bucket{${tiny},status="success",le="+Inf"}`]: 1,
      [`vllm:request_latency_seconds_sum{${tiny},status="success"}`]: 1.5,
      [`vllm:request_latency_seconds_count{server="${B.url}",model="tiny",status="error"}`]: 1,
    });
  });

  it('shows our own set', async () => {
    const world = setUp();
    await exercise(world);
    const { samples } = world;
    const tiny = `engine="${A.url}",model="tiny"`;
    const only = async (name: string) => samples(`vllm_router_${name}`);
    expect(await only('requests_total')).toEqual({
      [`vllm_router_requests_total{engine="${B.url}",model="tiny",outcome="failed"}`]: 1,
      [`vllm_router_requests_total{${tiny},outcome="done"}`]: 1,
    });
    expect(await only('tokens_total')).toEqual({
      [`vllm_router_tokens_total{${tiny},kind="prompt"}`]: 100,
      [`vllm_router_tokens_total{${tiny},kind="completion"}`]: 7,
      [`vllm_router_tokens_total{${tiny},kind="cached"}`]: 64,
    });
    for (const [name, sum] of [
      ['time_to_first_token_seconds', 0.5],
      ['inter_token_latency_seconds', 0.02],
      ['request_duration_seconds', 1.5],
    ] as const) {
      expect(await only(name)).toMatchObject({
        [`vllm_router_${name}_sum{${tiny}}`]: sum,
        [`vllm_router_${name}_count{${tiny}}`]: 1,
        [`vllm_router_${name}_bucket{${tiny},le="+Inf"}`]: 1,
      });
    }
    expect(await only('requests_in_flight')).toEqual({
      [`vllm_router_requests_in_flight{engine="${A.url}",phase="prefill"}`]: 1,
      [`vllm_router_requests_in_flight{engine="${A.url}",phase="decoding"}`]: 0,
      [`vllm_router_requests_in_flight{engine="${B.url}",phase="prefill"}`]: 0,
      [`vllm_router_requests_in_flight{engine="${B.url}",phase="decoding"}`]: 0,
    });
    expect(await only('engine_uptime_seconds')).toMatchObject({
      [`vllm_router_engine_uptime_seconds{engine="${A.url}"}`]: 1.5,
    });
    for (const [name, expected] of [
      [
        'engine_state',
        Object.fromEntries(
          [
            [A, 'suspect'],
            [B, 'ejected'],
          ].flatMap(([of, state]) =>
            STATES.map((each) => [
              `{engine="${(of as Engine).url}",state="${each}"}`,
              Number(each === state),
            ]),
          ),
        ),
      ],
      ['ejections_total', { [`{engine="${B.url}",cause="refused"}`]: 1 }],
      ['retries_total', { '{cause="refused"}': 1 }],
      ['rejections_total', { '{code="model_not_found"}': 1 }],
      ['config_reloads_total', { '{outcome="applied"}': 1, '{outcome="rejected"}': 1 }],
      ['config_last_reload_success', { '': 0 }],
      ['client_disconnects_total', { '': 1 }],
      ['stale_socket_resends_total', { '': 1 }],
      ['body_memory_bytes', { '': 4096 }],
      ['discovery_up', { '': 1 }],
      ['build_info', { [`{version="1.2.3",node="${process.versions.node}"}`]: 1 }],
    ] as const) {
      const named = Object.entries(expected).map(([labels, value]) => [
        `vllm_router_${name}${labels}`,
        value,
      ]);
      expect(await only(name)).toEqual(Object.fromEntries(named));
    }
    const reloadedAt = Object.values((await only('config_last_reload_timestamp_seconds')) ?? {});
    expect(Math.abs((reloadedAt[0] ?? 0) - Date.now() / 1000)).toBeLessThan(60);
  });

  it('shows the process and the host', async () => {
    const world = setUp();
    await exercise(world);
    const families = await world.families();
    for (const name of [
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_seconds',
      'nodejs_heap_size_used_bytes',
    ]) {
      expect(families.get(name)?.samples.size).toBeGreaterThan(0);
    }
    for (const name of ['router_memory_usage_percent', 'router_disk_usage_percent']) {
      const [value] = families.get(name)?.samples.values() ?? [];
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThanOrEqual(100);
    }
  });

  it('has no series without a sample', async () => {
    const { families } = setUp();
    const names = [...(await families()).entries()]
      .filter(([name, { samples }]) => /^vllm[:_]/.test(name) && samples.size > 0)
      .map(([name]) => name);
    expect(names).toEqual([
      'vllm_router_stale_socket_resends_total',
      'vllm_router_client_disconnects_total',
      'vllm_router_connections_refused_total',
    ]);
  });

  it('drops every series of an engine that left', async () => {
    const world = setUp();
    await exercise(world);
    const { metrics, stats, series } = world;
    series.ofEngine(B.url).scrapeFailures++;
    expect((await metrics.render()).text).toContain(`engine_scrape_failures_total{engine="${B.url}"} 1`);
    stats.retain({ engines: [A] });
    const { text } = await metrics.render();
    expect(text).not.toContain(B.url);
    expect(text).toContain(A.url);
  });

  it('escapes what engines and models are called, and writes each series once', async () => {
    const { stats, attempt, families } = setUp();
    const odd = engine('http://a:8000/"x\\y', ['m"o\\d\nel'], 'one');
    const twin = { ...odd, id: 'two' };
    stats.retain({ engines: [odd, twin] });
    attempt(odd, request('m"o\\d\nel')).dispatch().finish();
    attempt(twin, request('m"o\\d\nel')).dispatch().finish();
    const counted = (await families()).get('vllm_router_requests_total')?.samples;
    expect([...(counted ?? [])]).toEqual([
      [
        String.raw`vllm_router_requests_total{engine="http://a:8000/\"x\\y",model="m\"o\\d\nel",outcome="done"}`,
        2,
      ],
    ]);
  });

  it('labels nothing with text that a client chose, and bounds what it keeps', async () => {
    const { metrics, attempt } = setUp();
    attempt(A, request('chosen-by-client')).dispatch().finish();
    for (let i = 0; i < 2_000; i++) {
      metrics.arrived(`model-${i}`);
      metrics.rejected(`code-${i}`);
    }
    const { text } = await metrics.render();
    expect(text).not.toContain('chosen-by-client');
    expect(text).toContain(
      'vllm_router_requests_total{engine="http://a:8000",model="unknown",outcome="done"} 1',
    );
    expect(text.match(/^vllm:num_incoming_requests_total\{/gm)).toHaveLength(1_025);
    expect(text.match(/^vllm_router_rejections_total\{/gm)).toHaveLength(65);
  });

  it('leaves the registry of the application around it alone', async () => {
    await exercise(setUp());
    await exercise(setUp());
    expect(register.getMetricsAsArray()).toEqual([]);
  });

  it('tells its content type', async () => {
    expect((await setUp().metrics.render()).contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
  });

  it('has cumulative buckets', async () => {
    const world = setUp();
    await exercise(world);
    for (const [name, { type, samples }] of await world.families()) {
      if (type !== 'histogram' || !name.startsWith('vllm')) continue;
      const series = new Map<string, number[]>();
      for (const [key, value] of samples) {
        const of = key
          .replace(/^(\w|:)+?_(bucket|count|sum)/, '')
          .replace(/,?le="[^"]*"/, '')
          .replace(/^\{\}$/, '');
        if (!key.startsWith(`${name}_sum`)) series.set(of, [...(series.get(of) ?? []), value]);
      }
      for (const counts of series.values()) {
        expect(counts).toEqual([...counts].sort((a, b) => a - b));
        expect(counts.at(-1)).toBe(counts.at(-2));
      }
    }
  });

  const isOriginals = (fault: string) => /^vllm:\S+ metric names should not contain ':'$/.test(fault);
  const HEALTHY_PODS = 'vllm:healthy_pods_total non-counter metrics should not have "_total" suffix';

  it('follows the naming rules, but for what the original fixed', async () => {
    const world = setUp();
    await exercise(world);
    const faults = lint(await world.families()).filter((fault) => !isOriginals(fault));
    expect(faults).toEqual([HEALTHY_PODS]);
  });

  const promtool = spawnSync('promtool', ['--version']).status === 0;
  (promtool ? it : it.skip)('passes promtool, but for what the original fixed', async () => {
    const world = setUp();
    await exercise(world);
    const { text } = await world.metrics.render();
    const { stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], {
      input: text,
      encoding: 'utf8',
    });
    expect(error).toBeUndefined();
    const faults = `${stdout}${stderr}`.split('\n').filter((line) => line !== '' && !isOriginals(line));
    expect(faults).toEqual([HEALTHY_PODS]);
  });
});
