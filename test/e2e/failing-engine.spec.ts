import {
  type Fault,
  type SimulatedEngine,
  startSimulatedEngine,
} from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import { ask, chat } from '../support/http-client.js';
import { whenNothingIsHeld } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';

describe('an engine that answers every request with an error at once', () => {
  let engines: SimulatedEngine[];
  let router: RunningRouter;

  beforeAll(async () => {
    engines = await Promise.all(
      [0, 1, 2].map(async () => startSimulatedEngine({ models: ['tiny'], tokens: 5, tokenInterval: 20 })),
    );
    await engines[0]!.setFault({ status: 500, body: '{"error":"no"}' });
    router = await startTestRouter(engines, ['--routing-logic', 'prefixaware']);
  });
  afterAll(async () => {
    await whenNothingIsHeld(router.url);
    await router.close();
    await Promise.all(engines.map(async (engine) => engine.close()));
  });

  it('takes no requests from those that would answer them', async () => {
    const asked = async (index: number): Promise<number> => {
      const messages = [{ role: 'user', content: `${index} ${'word '.repeat(100)}` }];
      return (await ask(`${router.url}/v1/chat/completions`, { body: chat({ messages }) })).status;
    };
    const statuses: number[] = [];
    // Twelve conversations at the same time, ten turns each.
    await Promise.all(
      Array.from({ length: 12 }, async (_, client) => {
        for (let turn = 0; turn < 10; turn++) statuses.push(await asked(100 * client + turn));
      }),
    );
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
  });
});

describe('an engine that gives an answer up', () => {
  it.each<[string, Fault]>([
    ['in the middle of its body', { fin: 'mid-frame', times: 1 }],
    ['with a length that it does not keep', { wrongLength: 9, times: 1 }],
    ['in the middle of a chunk', { truncated: true, times: 1 }],
    ['by saying that it drains', { draining: true, times: 1 }],
  ])('%s is followed by one that was ejected, where none else is left', async (_name, fault) => {
    const engines = await Promise.all([1, 2].map(() => startSimulatedEngine({ models: ['tiny'] })));
    const [first, second] = engines as [SimulatedEngine, SimulatedEngine];
    const router = await startTestRouter(engines, ['--health-check-interval', '3600']);
    const status = async (): Promise<number> =>
      (await ask(`${router.url}/v1/chat/completions`, { body: chat() })).status;
    await second.setFault({ refuse: true });
    // One of the two goes to the second engine.
    expect([await status(), await status()]).toEqual([200, 200]);
    await second.setFault(null);
    await first.setFault(fault);
    expect(await status()).toBe(200);
    expect(second.requestCount).toBe(1);
    await whenNothingIsHeld(router.url);
    await router.close();
    await Promise.all(engines.map(async (engine) => engine.close()));
  });
});
