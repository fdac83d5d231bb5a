import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { ask, begin, chat, headOf } from '../support/http-client.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';

describe('what the router answers itself', () => {
  it('comes at once although every engine hangs, and asks none', async () => {
    const engines = await Promise.all([1, 2].map(() => startSimulatedEngine({ models: ['tiny'] })));
    const quiet = ['--engine-stats-interval', '3600', '--model-refresh-interval', '3600'];
    const router = await startTestRouter(engines, quiet);
    for (const engine of engines) await engine.setFault({ on: 'all', hang: 'before-head' });
    const probes = engines.map((engine) => engine.probes.length);
    for (const path of ['/health', '/ready', '/metrics', '/version', '/v1/models', '/v1/models/tiny']) {
      for (const method of ['GET', 'HEAD'])
        expect([path, method, (await ask(router.url + path, { method })).status]).toEqual([
          path,
          method,
          200,
        ]);
    }
    expect(engines.map((engine) => engine.probes.length)).toEqual(probes);
    expect(engines.map(({ requestCount }) => requestCount)).toEqual([0, 0]);
    await router.close();
    await Promise.all(engines.map((engine) => engine.close(0)));
  });
});

describe('the figures of the router', () => {
  let engines: SimulatedEngine[];

  beforeEach(async () => {
    engines = await Promise.all([1, 2].map(() => startSimulatedEngine({ models: ['tiny'] })));
  });
  afterEach(() => Promise.all(engines.map((engine) => engine.close(0))));

  it('are right after good, bad, broken and abandoned requests', async () => {
    const router = await startTestRouter(engines);
    const { url } = router;
    const send = (fields: object = {}) => ask(`${url}/v1/chat/completions`, { body: chat(fields) });
    for (let i = 0; i < 4; i++) await send();
    for (let i = 0; i < 4; i++) await send({ stream: true });
    await send({ max_tokens: 0 });
    await send({ model: 'a\nb{c="d"}' });
    for (const engine of engines) await engine.setFault({ fin: 'after-frames', frames: 2 });
    await send({ stream: true });
    for (const engine of engines) await engine.setFault({ hang: 'before-head' });
    const seen = Promise.race(engines.map((engine) => engine.nextRequest()));
    const leaver = begin(`${url}/v1/chat/completions`, { body: chat() });
    leaver.on('error', () => undefined);
    await seen;
    leaver.destroy();
    await whenNothingIsHeld(url);
    const requests = (outcome: string): Promise<number> =>
      metric(url, 'vllm_router_requests_total', `outcome="${outcome}"`);
    expect({
      done: await requests('done'),
      engineError: await requests('engine_error'),
      failed: await requests('failed'),
      left: await requests('client_left'),
      disconnects: await metric(url, 'vllm_router_client_disconnects_total'),
      durations: await metric(url, 'vllm_router_request_duration_seconds_count'),
      firstTokens: await metric(url, 'vllm_router_time_to_first_token_seconds_count'),
      known: await metric(url, 'vllm:num_incoming_requests_total', 'model="tiny"'),
      unknown: await metric(url, 'vllm:num_incoming_requests_total', 'model="unknown"'),
      rejected: await metric(url, 'vllm_router_rejections_total', 'code="model_not_found"'),
      retries: await metric(url, 'vllm_router_retries_total'),
    }).toEqual({
      done: 8,
      engineError: 1,
      failed: 1,
      left: 1,
      disconnects: 1,
      durations: 8,
      firstTokens: 5,
      known: 11,
      unknown: 1,
      rejected: 1,
      retries: 0,
    });
    const text = (await ask(`${url}/metrics`)).body.toString();
    expect(text).not.toContain('c="d"');
    await router.close();
  });

  it('show what is under way while it is', async () => {
    const slow = await startSimulatedEngine({ models: ['tiny'], tokens: 1_000_000, tokenInterval: 20 });
    const router = await startTestRouter([slow]);
    const body = { model: 'tiny', stream: true, messages: [{ role: 'user', content: 'a' }] };
    const answer = await headOf(begin(`${router.url}/v1/chat/completions`, { body }));
    slow.pause();
    const seen = slow.nextRequest();
    const waiting = begin(`${router.url}/v1/chat/completions`, { body });
    waiting.on('error', () => undefined);
    await seen;
    expect({
      running: await metric(router.url, 'vllm:num_requests_running'),
      prefill: await metric(router.url, 'vllm:num_prefill_requests'),
      decoding: await metric(router.url, 'vllm:num_decoding_requests'),
    }).toEqual({ running: 2, prefill: 1, decoding: 1 });
    expect(await metric(router.url, 'vllm_router_body_memory_bytes')).toBe(JSON.stringify(body).length);
    answer.destroy();
    waiting.destroy();
    await whenNothingIsHeld(router.url);
    await router.close();
    await slow.close(0);
  });
});
