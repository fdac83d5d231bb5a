import { readRouterScrape } from '../../../../src/core/top/router-scrape.js';
import { type RouterHealth, topView } from '../../../../src/core/top/top-view.js';

const A = 'http://a:8000';
const HEALTH: RouterHealth = { unready: null, discovery: null, reasons: new Map([[A, 'refused']]) };

const first = `# HELP vllm_router_build_info Always 1.
vllm_router_build_info{version="0.1.0",node="20"} 1
process_start_time_seconds{worker="1"} 1000
process_start_time_seconds{worker="2"} 1030
vllm_router_workers 2
vllm_router_held_requests{model="m"} 3
vllm_router_held_requests{model="n"} 1
vllm_router_engine_state{engine="${A}",state="ready"} 0
vllm_router_engine_state{engine="${A}",state="ejected"} 1
vllm_router_requests_in_flight{engine="${A}",phase="prefill"} 2
vllm_router_requests_in_flight{engine="${A}",phase="decoding"} 5
vllm_router_pending_prompt_tokens{engine="${A}"} 700
vllm_router_engine_slowness{engine="${A}"} 1.5
vllm_router_engine_kv_cache_usage{engine="${A}"} 0.25
vllm:current_qps{server="${A}"} 1.5
vllm:num_requests_waiting{server="${A}"} 4
vllm:gpu_prefix_cache_hit_rate{server="${A}"} 0.9
vllm_router_requests_total{engine="${A}",model="m",outcome="done"} 100
vllm_router_requests_total{engine="${A}",model="n",outcome="failed"} 7
vllm_router_rejections_total{code="overloaded"} 5
vllm_router_retries_total{cause="reset"} 2
vllm_router_ejections_total{engine="${A}",cause="refused"} 1
vllm_router_time_to_first_token_seconds_bucket{engine="${A}",model="m",le="0.1"} 50
vllm_router_time_to_first_token_seconds_bucket{engine="${A}",model="m",le="0.2"} 100
vllm_router_time_to_first_token_seconds_bucket{engine="${A}",model="m",le="+Inf"} 100
`;
/** The router ten seconds later; one counter has begun anew. */
const second = first
  .replace('outcome="done"} 100', 'outcome="done"} 110')
  .replace('code="overloaded"} 5', 'code="overloaded"} 1')
  .replace('le="0.2"} 100', 'le="0.2"} 110')
  .replace('le="+Inf"} 100', 'le="+Inf"} 110');

describe('what a router says in /metrics', () => {
  it('is read by engine, workers and models added up', () => {
    const view = topView(readRouterScrape(first, 0), null, HEALTH, 1_100);
    expect(view).toMatchObject({
      version: '0.1.0',
      upSeconds: 100,
      workers: 2,
      held: 4,
      window: null,
      inFlight: 7,
      qps: 1.5,
      outcomes: [
        ['done', 100],
        ['failed', 7],
      ],
      rejections: [['overloaded', 5]],
      retries: [['reset', 2]],
      ejections: [['refused', 1]],
    });
    expect(view.rows).toEqual([
      {
        url: A,
        state: 'ejected',
        reason: 'refused',
        models: ['m', 'n'],
        inFlight: 7,
        prefill: 2,
        pending: 700,
        waiting: 4,
        qps: 1.5,
        ttft: { p50: 0.1, p99: expect.closeTo(0.198, 9) as number },
        itl: { p50: null, p99: null },
        hitRate: 0.9,
        kvUse: 0.25,
        slowness: 1.5,
      },
    ]);
  });

  it('is told since an earlier look, and a counter that began anew is told from there', () => {
    const view = topView(readRouterScrape(second, 10_000), readRouterScrape(first, 0), HEALTH, 1_100);
    expect(view).toMatchObject({
      window: 10,
      outcomes: [['done', 10]],
      rejections: [['overloaded', 1]],
      retries: [],
    });
    // Ten, all between .1 and .2.
    expect(view.ttft).toEqual({
      p50: expect.closeTo(0.15, 9) as number,
      p99: expect.closeTo(0.199, 9) as number,
    });
    const anew = topView(readRouterScrape(first, 10_000), readRouterScrape(second, 0), HEALTH, 1_100);
    expect(anew.ttft.p50).toBeCloseTo(0.1, 9);
  });

  it('is passed over where it makes no sense', () => {
    const odd = [
      'vllm_router_engine_state{engine="",state="ready"} 1',
      `vllm_router_engine_state{engine="${A}" 1`,
      `vllm_router_requests_in_flight{engine="${A}",phase="decoding"} NaN`,
      `vllm_router_pending_prompt_tokens{engine="${A}"} -5`,
      `vllm_router_time_to_first_token_seconds_bucket{engine="${A}",le="wide"} 5`,
      '__proto__{a="b"} 1',
      'constructor 1',
      '\0\x1b[2J',
    ].join('\n');
    const view = topView(readRouterScrape(odd, 0), null, HEALTH, 0);
    expect(view).toMatchObject({ version: '', upSeconds: null, workers: null, held: null, inFlight: 0 });
    expect(view.rows).toMatchObject([{ url: A, state: 'unknown', pending: null, ttft: { p50: null } }]);
  });
});
