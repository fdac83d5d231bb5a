import type { DecisionRecord } from '../../src/core/decision.js';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { settingsFor, startHostApplication } from '../support/host-application.js';
import { ask, chat, errorOf, jsonOf } from '../support/http-client.js';
import { LearningStrategy } from '../support/learning-strategy.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

const HEADER = 'x-vllm-router-explain';
const PLEASE = { [HEADER]: '1' };

type Client = 'http1' | 'undici';
interface Running {
  readonly url: string;
  close(): Promise<void>;
}

async function ownServer(engines: readonly SimulatedEngine[], client: Client): Promise<Running> {
  const flags = ['--allow-explain', '--routing-logic', 'learning', '--session-key', 'x-user-id'];
  return startTestRouter(engines, [...flags, '--upstream-client', client], [LearningStrategy]);
}

async function hostApplication(engines: readonly SimulatedEngine[], client: Client): Promise<Running> {
  const served = settingsFor(engines.map(({ url }) => ({ url, model: 'tiny' })));
  const learning = { routingLogic: 'learning', sessionKey: 'x-user-id', allowExplain: true };
  return startHostApplication({
    settings: { ...served, ...learning, upstreamClient: client },
    strategies: [LearningStrategy],
  });
}

const WAYS = [
  { way: 'the short way', start: ownServer },
  { way: 'Nest’s way', start: hostApplication },
];
const CLIENTS: readonly Client[] = ['http1', 'undici'];

describe.each(WAYS.flatMap((way) => CLIENTS.map((client) => ({ ...way, client }))))(
  'a choice, by $way in and the client $client out,',
  ({ start, client }) => {
    let engines: SimulatedEngine[];
    let router: Running;

    beforeAll(async () => {
      engines = await Promise.all([1, 2].map(async () => startSimulatedEngine({ models: ['tiny'] })));
      engines.sort((a, b) => (a.url < b.url ? -1 : 1));
      router = await start(engines, client);
    });
    afterAll(async () => {
      await router.close();
      await Promise.all(engines.map(async (engine) => engine.close(0)));
    });

    const completions = (): string => `${router.url}/v1/chat/completions`;
    const latest = async (query = ''): Promise<DecisionRecord[]> =>
      jsonOf<{ decisions: DecisionRecord[] }>(await ask(`${router.url}/debug/routing${query}`)).decisions;

    it.each([false, true])('is explained to a client that asks (stream: %s)', async (stream) => {
      const seen = engines[0]!.nextRequest();
      const answer = await ask(completions(), { headers: PLEASE, body: chat({ stream }) });
      const [first, second] = engines.map(({ url }) => url);
      expect(answer.headers[HEADER]).toBe(
        `engine=${first}; attempt=1; reason=place 0; uncached=40; pending=2.5; in-flight=0; slowness=1; ` +
          `cost=1.5; runner-up=${second}; margin=100`,
      );
      expect((await seen).rawHeaders.map((name) => name.toLowerCase())).not.toContain(HEADER);
    });

    it('is not explained to one that does not ask', async () => {
      for (const headers of [{}, { [HEADER]: '0' }, { [HEADER]: 'true' }]) {
        const answer = await ask(completions(), { headers, body: chat() });
        expect([answer.status, answer.headers[HEADER]]).toEqual([200, undefined]);
      }
    });

    it('tells of the engine that answered, after a failed attempt', async () => {
      await engines[0]!.setFault({ status: 503, times: 1 });
      const answer = await ask(completions(), { headers: PLEASE, body: chat() });
      expect(answer.status).toBe(200);
      expect(answer.headers[HEADER]).toMatch(
        new RegExp(`^engine=${engines[1]!.url}; attempt=2; reason=place 1; .*cost=101\\.5$`),
      );
      const [decision] = await latest('?n=1');
      expect(decision).toMatchObject({ engine: engines[1]!.url, outcome: 'done', candidates: 2 });
      expect(decision?.attempts.map(({ outcome, status }) => [outcome, status])).toEqual([
        ['failed', 503],
        ['done', 200],
      ]);
    });

    it('is remembered with what came of it, and without any text of the client', async () => {
      const headers = { 'x-request-id': 'mine', 'x-user-id': 'somebody' };
      const body = chat({ stream: true, stream_options: { include_usage: true } });
      await ask(completions(), { headers, body });
      await until(async () => (await latest('?n=1'))[0]?.outcome === 'done');
      const [decision] = await latest('?n=1');
      expect(decision).toMatchObject({
        id: 'mine',
        model: 'tiny',
        strategy: 'learning',
        engine: engines[0]!.url,
        outcome: 'done',
        status: 200,
        completion_tokens: 4,
        cached_tokens: null,
      });
      expect(decision?.predicted_cached_tokens).toBe(Math.max(0, decision!.prompt_tokens! - 40));
      expect(decision?.ranking).toEqual(
        engines.map(({ url }, place) => ({
          engine: url,
          reason: `place ${place}`,
          uncached: 40,
          pending: 2.5,
          in_flight: place,
          slowness: 1,
          cost: 1.5 + 100 * place,
        })),
      );
      expect(decision!.ttft).toBeGreaterThan(0);
      expect(decision!.duration).toBeGreaterThanOrEqual(decision!.ttft!);
      expect(Math.abs(decision!.time - Date.now() / 1_000)).toBeLessThan(60);
      expect(JSON.stringify(decision)).not.toMatch(/somebody|w1/);
    });

    it('is one of the last 1,000, a hundred of them by default', async () => {
      for (let n = 0; n < 3; n++)
        await ask(completions(), { headers: { 'x-request-id': `r${n}` }, body: chat() });
      expect((await latest('?n=2')).map(({ id }) => id)).toEqual(['r2', 'r1']);
      expect((await latest()).length).toBeLessThanOrEqual(100);
      for (const query of ['?n=0', '?n=1001', '?n=x', '?n=', '?n=-1', '?n=1.5', '?n=1&n=2']) {
        const answer = await ask(`${router.url}/debug/routing${query}`);
        expect([query, answer.status, errorOf(answer).code]).toEqual([query, 400, 'invalid_request']);
      }
    });

    it('is told to a strategy that learns: its place and the pieces of the stream', async () => {
      const strategy = LearningStrategy.newest;
      const before = strategy.events.length;
      await ask(completions(), { body: chat({ stream: true, max_tokens: 4 }) });
      await until(async () => strategy.events.at(-1)?.type === 'finished');
      const [dispatched, firstToken, finished] = strategy.events.slice(before);
      expect(dispatched).toMatchObject({ type: 'dispatched', ranked: { reason: 'place 0' } });
      expect(firstToken).toMatchObject({ type: 'firstToken' });
      expect(finished).toMatchObject({ type: 'finished', outcome: 'done' });
      const { pieces } = finished as { pieces: number };
      expect(pieces).toBeGreaterThanOrEqual(1);
    });

    it('is made by a strategy that knows its engines and what they tell of themselves', async () => {
      const strategy = LearningStrategy.newest;
      expect(strategy.engines.map(({ url }) => url).sort()).toEqual(engines.map(({ url }) => url));
      await until(async () => new Set(strategy.stats.map(([url]) => url)).size === 2);
      const metrics = (await ask(`${router.url}/metrics`)).body.toString();
      for (const { url } of engines) {
        expect(metrics).toContain(`vllm_router_learned_things{engine="${url}"} 7\n`);
      }
    });
  },
);

describe('without --allow-explain', () => {
  it('nothing is explained, and the header goes to no engine', async () => {
    const engine = await startSimulatedEngine({ models: ['tiny'] });
    const router = await startTestRouter([engine]);
    const seen = engine.nextRequest();
    const answer = await ask(`${router.url}/v1/chat/completions`, { headers: PLEASE, body: chat() });
    expect([answer.status, answer.headers[HEADER]]).toEqual([200, undefined]);
    expect((await seen).rawHeaders.map((name) => name.toLowerCase())).not.toContain(HEADER);
    const debug = await ask(`${router.url}/debug/routing`);
    expect([debug.status, errorOf(debug).code]).toEqual([404, 'route_not_found']);
    await router.close();
    await engine.close();
  });
});

describe('when no engine answers', () => {
  it('the error of the router tells of the engine that was tried last', async () => {
    const engines = await Promise.all([1, 2].map(async () => startSimulatedEngine({ models: ['tiny'] })));
    const router = await startTestRouter(engines, ['--allow-explain']);
    await Promise.all(engines.map(async (engine) => engine.setFault({ reset: 'before-head' })));
    const answer = await ask(`${router.url}/v1/chat/completions`, { headers: PLEASE, body: chat() });
    expect([answer.status, errorOf(answer).code]).toEqual([502, 'engine_unreachable']);
    expect(answer.headers[HEADER]).toMatch(/^engine=http:\/\/127\.0\.0\.1:\d+; attempt=2; reason=in turn$/);
    await router.close();
    await Promise.all(engines.map(async (engine) => engine.close(0)));
  });
});

it('a choice tells of a further attempt that the retry budget did not allow', async () => {
  const engines = await Promise.all([1, 2].map(async () => startSimulatedEngine({ models: ['tiny'] })));
  const router = await startTestRouter(engines, ['--allow-explain']);
  await Promise.all(engines.map(async (engine) => engine.setFault({ queueFull: true })));
  // Ten retries are always allowed.
  for (let sent = 0; sent < 11; sent++) await ask(`${router.url}/v1/chat/completions`, { body: chat() });
  const told = jsonOf<{ decisions: DecisionRecord[] }>(await ask(`${router.url}/debug/routing`)).decisions;
  const seen = told.map(({ attempts, retry_refused: refused }) => ({ attempts: attempts.length, refused }));
  expect(seen[0]).toEqual({ attempts: 1, refused: true });
  expect(seen.slice(1)).toEqual(Array.from({ length: 10 }, () => ({ attempts: 2, refused: false })));
  await router.close();
  await Promise.all(engines.map(async (engine) => engine.close(0)));
});
