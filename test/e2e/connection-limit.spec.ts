import type { RunningRouter } from '../../src/serve.js';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { ask, chat, errorOf } from '../support/http-client.js';
import { metric } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

describe('a router with as many connections as it may have', () => {
  let engine: SimulatedEngine;
  let router: RunningRouter;

  beforeAll(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'] });
    router = await startTestRouter([engine], ['--max-connections', '1']);
  });
  afterAll(async () => {
    await router.close();
    await engine.close();
  });

  it('refuses requests on further ones, answers probes, and tells', async () => {
    const refused = async () => {
      // `fetch` keeps its connection, which is the one.
      await (await fetch(`${router.url}/health`)).text();
      return ask(`${router.url}/v1/chat/completions`, { body: chat() });
    };
    await until(async () => (await refused()).status === 503);
    const answer = await refused();
    expect([answer.status, errorOf(answer).code]).toEqual([503, 'overloaded']);
    expect(answer.headers['connection']).toBe('close');
    expect(answer.headers['retry-after']).toMatch(/^[123]$/);
    for (const path of ['/health', '/ready', '/version', '/metrics']) {
      const probe = await ask(router.url + path);
      expect([path, probe.status, probe.headers['connection']]).toEqual([path, 200, 'close']);
    }
    expect(await metric(router.url, 'vllm_router_connections_refused_total')).toBeGreaterThanOrEqual(2);
    expect(engine.requestCount).toBeLessThanOrEqual(1);
  });
});
