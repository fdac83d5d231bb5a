import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import { ask, begin, chat, errorOf } from '../support/http-client.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

const retries = (url: string, cause: string): Promise<number> =>
  metric(url, 'vllm_router_retries_total', `cause="${cause}"`);

describe('the only engine of a model, when it refuses', () => {
  let engine: SimulatedEngine;
  let router: RunningRouter;
  const send = (headers: Record<string, string> = {}) =>
    ask(`${router.url}/v1/chat/completions`, { body: chat(), headers });

  beforeEach(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'] });
    router = await startTestRouter([engine]);
    await engine.setFault({ refuse: true });
  });
  afterEach(async () => {
    await whenNothingIsHeld(router.url);
    await router.close();
    await engine.close(0);
  });

  it('is tried again after a moment: a restart loses nothing', async () => {
    const asked = send();
    await until(async () => (await retries(router.url, 'refused')) > 0);
    await engine.setFault(null);
    expect((await asked).status).toBe(200);
  });

  it('is waited for no longer than the request has time', async () => {
    const answer = await send({ 'x-request-timeout-ms': '100' });
    expect([answer.status, errorOf(answer).code]).toEqual([504, 'engine_timeout']);
    expect(errorOf(answer).message).toContain('attempt 1: refused');
  });

  it('is not tried for a client that has left meanwhile', async () => {
    const sent = begin(`${router.url}/v1/chat/completions`, { body: chat() });
    sent.on('error', () => undefined);
    await until(async () => (await retries(router.url, 'refused')) > 0);
    sent.destroy();
    await until(async () => (await metric(router.url, 'vllm_router_client_disconnects_total')) === 1);
    await engine.setFault(null);
    await whenNothingIsHeld(router.url);
    expect(engine.requestCount).toBe(0);
  });
});

describe('engines whose queues are full', () => {
  it('pass a request on without being ejected, and the last one’s answer goes to the client as it is', async () => {
    const engines = await Promise.all([1, 2].map(() => startSimulatedEngine({ models: ['tiny'] })));
    const router = await startTestRouter(engines);
    const send = () => ask(`${router.url}/v1/chat/completions`, { body: chat() });
    await engines[0]!.setFault({ queueFull: true });
    for (const _ of [1, 2, 3, 4]) expect((await send()).status).toBe(200);
    expect(await retries(router.url, 'busy')).toBe(2);
    await engines[1]!.setFault({ queueFull: true });
    const { status, body } = await send();
    expect(status).toBe(503);
    expect(JSON.parse(body.toString())).toMatchObject({ error: { type: 'Service Unavailable', code: 503 } });
    expect(await metric(router.url, 'vllm_router_ejections_total')).toBe(0);
    await whenNothingIsHeld(router.url);
    await router.close();
    await Promise.all(engines.map((engine) => engine.close(0)));
  });
});
