import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import { ask, chat } from '../support/http-client.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

describe('a kept connection that the engine closes while a request is on its way', () => {
  let engine: SimulatedEngine;
  let router: RunningRouter;
  const send = (fields: object = {}) => ask(`${router.url}/v1/chat/completions`, { body: chat(fields) });
  const resends = (): Promise<number> => metric(router.url, 'vllm_router_stale_socket_resends_total');

  beforeEach(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'] });
    router = await startTestRouter([engine]);
    expect((await send()).status).toBe(200);
  });
  afterEach(async () => {
    await whenNothingIsHeld(router.url);
    await router.close();
    await engine.close();
  });

  it.each(['fin', 'reset'] as const)(
    '(%s) costs the client nothing and counts as no attempt',
    async (staleSocket) => {
      await engine.setFault({ staleSocket });
      for (const stream of [false, true]) expect((await send({ stream })).status).toBe(200);
      expect(await resends()).toBe(2);
      expect(await metric(router.url, 'vllm_router_requests_total')).toBe(3);
      expect(await metric(router.url, 'vllm_router_retries_total')).toBe(0);
      expect(await metric(router.url, 'vllm_router_ejections_total')).toBe(0);
      const [first, stale, again] = engine.requests;
      expect(stale?.connection).toBe(first?.connection);
      expect(again?.connection).not.toBe(first?.connection);
    },
  );

  describe('where the model has another engine, which is down,', () => {
    beforeEach(async () => {
      await router.close();
      const down = await startSimulatedEngine({ models: ['tiny'] });
      const gone = down.url;
      await down.close();
      router = await startTestRouter([engine, { url: gone, models: ['tiny'] }]);
      expect((await send()).status).toBe(200);
    });

    it('is re-sent once, not twice', async () => {
      await engine.setFault({ reset: 'before-head' });
      const before = engine.requestCount;
      expect((await send()).status).toBe(502);
      expect([await resends(), engine.requestCount]).toEqual([1, before + 2]);
    });

    it('is not re-sent when the connection is fresh', async () => {
      await engine.setFault({ reset: 'before-head' });
      await send();
      const before = engine.requestCount;
      expect((await send()).status).toBe(502);
      expect([await resends(), engine.requestCount]).toEqual([1, before + 1]);
    });

    it('is not re-sent when bytes of an answer have come', async () => {
      for (const raw of [
        'HTTP/1.1 200 OK\r\ncontent-le',
        'HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n',
        'H',
      ]) {
        await engine.setFault(null);
        expect((await send()).status).toBe(200);
        await engine.setFault({ raw });
        const before = engine.requestCount;
        expect((await send()).status).toBe(502);
        expect([await resends(), engine.requestCount]).toEqual([0, before + 1]);
      }
    });
  });

  it('that was closed before the request came is not used', async () => {
    await engine.setFault(null);
    const idle = await startSimulatedEngine({ models: ['tiny'], keepAliveMs: 1 });
    const own = await startTestRouter([idle]);
    for (let i = 1; i <= 3; i++) {
      expect((await ask(`${own.url}/v1/chat/completions`, { body: chat() })).status).toBe(200);
      await until(async () => idle.requests.at(-1)?.finished === 'done');
    }
    expect(await metric(own.url, 'vllm_router_requests_total', 'outcome="done"')).toBe(3);
    await own.close();
    await idle.close();
  });
});
