import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import { ask, begin, chat, framesOf } from '../support/http-client.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

describe('a stream whose first token is late', () => {
  let engines: SimulatedEngine[];
  let router: RunningRouter;

  const send = (fields: object = {}) =>
    ask(`${router.url}/v1/chat/completions`, { body: chat({ stream: true, ...fields }) });
  const hedges = (outcome: string): Promise<number> =>
    metric(router.url, 'vllm_router_hedges_total', `outcome="${outcome}"`);
  const away = (): Promise<number> =>
    metric(router.url, 'vllm_router_requests_total', 'outcome="hedged_away"');

  beforeAll(async () => {
    engines = await Promise.all(
      [1, 2].map(() => startSimulatedEngine({ models: ['tiny'], tokenInterval: 1 })),
    );
    router = await startTestRouter(engines, ['--hedge', '--routing-logic', 'roundrobin']);
    // What is late is known from a hundred others.
    for (let i = 0; i < 8; i++) await Promise.all(Array.from({ length: 16 }, () => send()));
  });
  afterEach(async () => {
    for (const engine of engines) await engine.setFault(null);
    await whenNothingIsHeld(router.url);
    await until(() => engines.every(({ inFlight }) => inFlight === 0));
  });
  afterAll(async () => {
    await router.close();
    await Promise.all(engines.map((engine) => engine.close(0)));
  });

  it('is answered by the engine that is first, once, and cancelled at the other', async () => {
    await engines[0]!.setFault({ hang: 'after-head' });
    const answers = [await send(), await send()];
    for (const { status, body } of answers) {
      expect([status, framesOf(body).filter((frame) => frame === 'data: [DONE]').length]).toEqual([200, 1]);
    }
    expect([await hedges('won'), await away()]).toEqual([1, 1]);
    expect(await metric(router.url, 'vllm_router_retries_total')).toBe(0);
  });

  it('is answered by the first engine where that is the first after all', async () => {
    await engines[0]!.setFault({ slowHead: 700 });
    await engines[1]!.setFault({ hang: 'before-head', times: 1 });
    const before = engines[1]!.requestCount;
    let answer = await send();
    // Whose turn it is depends on what came before.
    if (engines[1]!.requestCount === before) answer = await send();
    expect(answer.status).toBe(200);
    expect((await hedges('won')) + (await hedges('lost'))).toBe(2);
    expect(await away()).toBe(2);
  });

  it('goes on where its second attempt fails, and where the first one does', async () => {
    const failing = { reset: 'before-head', times: 1 } as const;
    await engines[0]!.setFault({ slowHead: 700 });
    await engines[1]!.setFault(failing);
    expect((await send()).status).toBe(200);
    expect((await send()).status).toBe(200);
  });

  it('is over at both engines when its client leaves', async () => {
    for (const engine of engines) await engine.setFault({ hang: 'before-head' });
    const hedged = engines.reduce((sum, { requestCount }) => sum + requestCount, 0);
    const sent = begin(`${router.url}/v1/chat/completions`, { body: chat({ stream: true }) });
    sent.on('error', () => undefined);
    await until(() => engines.reduce((sum, { requestCount }) => sum + requestCount, 0) === hedged + 2);
    sent.destroy();
    await until(async () => (await hedges('client_left')) === 1);
    expect(await metric(router.url, 'vllm_router_client_disconnects_total')).toBe(1);
  });

  it('is not hedged when it is no stream', async () => {
    await engines[0]!.setFault({ slowHead: 700 });
    await engines[1]!.setFault({ slowHead: 700 });
    const before = engines.reduce((sum, { requestCount }) => sum + requestCount, 0);
    expect((await send({ stream: false })).status).toBe(200);
    expect(engines.reduce((sum, { requestCount }) => sum + requestCount, 0)).toBe(before + 1);
  });
});
