import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { lint, readFamilies } from '../unit/metrics/exposition.js';
import { ask, begin, chat, errorOf, frameReader, headOf, jsonOf } from '../support/http-client.js';
import { metric } from '../support/router-metrics.js';
import { type RouterProcess, startRouterProcess } from '../support/router-process.js';
import { until } from '../support/until.js';

interface Health {
  readonly workers: { configured: number; running: number; restarts: number };
  readonly engines: { usable: number };
  readonly dynamic_config: { routing_logic: string };
  readonly dynamic_config_state: { last_error: { message: string } | null };
}

const WORKERS = 2;

/** Connections go to the workers in turn, so as many new ones as there are workers reach each of them. */
async function ofEach<T>(get: () => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (let worker = 0; worker < WORKERS; worker++) all.push(await get());
  return all;
}

let engines: SimulatedEngine[];
let router: RouterProcess;

const startEngines = async (): Promise<void> => {
  engines = await Promise.all(
    [1, 2].map(async () => startSimulatedEngine({ models: ['tiny'], tokenInterval: 5 })),
  );
};
const startRouter = async (...flags: string[]): Promise<void> => {
  router = await startRouterProcess(engines, ['--workers', String(WORKERS), ...flags]);
};
const start = async (...flags: string[]): Promise<void> => {
  await startEngines();
  await startRouter(...flags);
};
const stop = async (): Promise<void> => {
  await router.kill();
  await Promise.all(engines.map(async (engine) => engine.close(0)));
};
const completions = (): string => `${router.url}/v1/chat/completions`;
const health = async (): Promise<Health> => jsonOf<Health>(await ask(`${router.url}/health`));
const readies = async (): Promise<number[]> => ofEach(async () => (await ask(`${router.url}/ready`)).status);
const pids = (): number[] => {
  const { pid } = router.child;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children
    .trim()
    .split(' ')
    .filter((child) => child !== '')
    .map(Number);
};
/** A stream that has begun, or its refusal. */
const stream = async (tokens: number) => {
  const fields = { stream: true, max_tokens: tokens, ignore_eos: true };
  const answer = await headOf(begin(completions(), { body: chat(fields) }));
  const next = frameReader(answer);
  await next();
  return {
    status: answer.statusCode,
    leave: () => void answer.destroy(),
    /** The last frame, or what cut the stream. */
    end: async (): Promise<string> => {
      let last = '';
      try {
        for (let frame = await next(); frame !== null; frame = await next()) last = frame;
      } catch (error) {
        return String(error);
      }
      return last.trim();
    },
  };
};

// Three processes take a second of CPU each to start: one router serves all tests that it can, in their order.
describe('a router with two workers', () => {
  // The delay is long enough to ask both workers, and the intervals are longer than the tests.
  const flags = ['--access-log', '--shutdown-delay', '2'];
  const once = ['--engine-stats-interval', '3600', '--model-refresh-interval', '3600'];
  beforeAll(async () => start(...flags, ...once));
  afterAll(stop);

  it('spreads requests evenly over both and over the engines, counts each once, and asks engines once', async () => {
    const requests = 40;
    for (let n = 0; n < requests; n++) {
      expect((await ask(completions(), { body: chat() })).status).toBe(200);
    }
    const served = (worker: number): number =>
      router.output.filter((line) => line.includes('Routing request') && line.includes(`"worker":${worker},`))
        .length;
    expect(served(1) + served(2)).toBe(requests);
    // A busy machine may give one of them two connections in a row.
    expect(Math.min(served(1), served(2))).toBeGreaterThan(requests / 3);
    const [first = 0, second = 0] = engines.map(({ requestCount }) => requestCount);
    expect(first + second).toBe(requests);
    expect(Math.abs(first - second)).toBeLessThanOrEqual(WORKERS);
    for (const name of ['vllm_router_requests_total', 'vllm_router_request_duration_seconds_count']) {
      expect(await ofEach(async () => metric(router.url, name))).toEqual([requests, requests]);
    }
    const whole = async (): Promise<number[]> =>
      Promise.all(
        [
          'vllm:num_incoming_requests_total',
          'vllm_router_tokens_total',
          'vllm_router_requests_in_flight',
          'vllm_router_workers',
        ].map(async (name) => metric(router.url, name, name.includes('tokens') ? 'kind="completion"' : '')),
      );
    expect(await whole()).toEqual([requests, 4 * requests, 0, WORKERS]);
    const families = readFamilies((await ask(`${router.url}/metrics`)).body.toString());
    const ours = /^(vllm_router_|process_|nodejs_)/;
    expect(lint(families).filter((fault) => ours.test(fault))).toEqual([]);
    const wrong = { body: { model: 'nobody-serves-this', messages: [] } };
    await ofEach(async () => ask(completions(), wrong));
    expect(await metric(router.url, 'vllm_router_rejections_total')).toBe(WORKERS);
    // What a client can ask for is asked of no engine, and what all need is asked once for all.
    for (const engine of engines) {
      const paths = engine.probes.map(({ path }) => path).filter((path) => path !== '/health');
      expect(paths.sort()).toEqual(['/metrics', '/v1/models']);
    }
    expect((await health()).workers).toEqual({ configured: WORKERS, running: WORKERS, restarts: 0 });
    expect(router.output.filter((line) => line.includes('listening on'))).toHaveLength(1);
    expect(router.output.filter((line) => line.includes('fleet 1:'))).toHaveLength(1);
  });

  it('replaces a worker that is killed, harms no stream of the other, and forgets no count', async () => {
    const before = await metric(router.url, 'vllm_router_requests_total');
    for (let n = 0; n < 10; n++) await ask(completions(), { body: chat() });
    const streams = await ofEach(async () => stream(300));
    expect(await metric(router.url, 'vllm_router_requests_in_flight')).toBe(WORKERS);
    const [victim = 0] = pids();
    process.kill(victim, 'SIGKILL');
    const ends = await Promise.all(streams.map(async ({ end }) => end()));
    expect(ends.filter((end) => end === 'data: [DONE]')).toHaveLength(1);
    await until(async () => (await health()).workers.running === WORKERS);
    expect((await health()).workers).toEqual({ configured: WORKERS, running: WORKERS, restarts: 1 });
    expect(await readies()).toEqual([200, 200]);
    await until(async () => (await metric(router.url, 'vllm_router_requests_total')) === before + 11);
    expect(await metric(router.url, 'vllm_router_requests_in_flight')).toBe(0);
    expect(await metric(router.url, 'vllm_router_worker_restarts_total')).toBe(1);
    await ofEach(async () => ask(completions(), { body: chat() }));
    expect(await metric(router.url, 'vllm_router_requests_total')).toBe(before + 11 + WORKERS);
  });

  it('ejects an engine in all that one of them finds dead', async () => {
    engines[0]?.kill();
    await until(async () => {
      expect((await ask(completions(), { body: chat() })).status).toBe(200);
      return (await metric(router.url, 'vllm_router_ejections_total')) > 0;
    });
    await until(async () => (await ofEach(health)).every((told) => told.engines.usable === 1));
    expect(await metric(router.url, 'vllm:healthy_pods_total')).toBe(1);
    expect(await metric(router.url, 'vllm_router_ejections_total')).toBe(1);
    expect(router.output.filter((line) => line.includes('is ejected'))).toHaveLength(1);
  });

  it('lets the streams of all workers end when it is told to stop, and exits with 0', async () => {
    const streams = await ofEach(async () => stream(600));
    router.child.kill('SIGTERM');
    await until(async () => (await readies()).every((status) => status === 503));
    expect(await Promise.all(streams.map(async ({ end }) => end()))).toEqual([
      'data: [DONE]',
      'data: [DONE]',
    ]);
    expect(await router.ended).toBe(0);
    await expect(ask(`${router.url}/health`)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('the health of engines, with two workers', () => {
  beforeAll(async () => start('--health-check-interval', '0.1'));
  afterAll(stop);

  const usable = async (): Promise<number[]> =>
    (await ofEach(health)).map(({ engines: { usable: count } }) => count);

  it('is asked for by the primary, once for all of them, and is the same in all', async () => {
    await engines[0]?.setFault({ refuse: true });
    await until(async () => (await usable()).every((count) => count === 1));
    expect(engines.map(({ requestCount }) => requestCount)).toEqual([0, 0]);
    await ofEach(async () => ask(completions(), { body: chat() }));
    expect(engines.map(({ requestCount }) => requestCount)).toEqual([0, WORKERS]);
    const label = `engine="${engines[0]?.url}",state="ejected"`;
    expect(await metric(router.url, 'vllm_router_engine_state', label)).toBe(1);
    await engines[0]?.setFault(null);
    await until(async () => (await usable()).every((count) => count === 2));
    expect(await metric(router.url, 'vllm_router_ejections_total', 'cause="refused"')).toBe(1);
    const lines = router.output.filter((line) => /is ejected|answers again/.test(line));
    expect(lines).toHaveLength(2);
  });

  it('is what requests of any of them have found', async () => {
    await engines[0]?.setFault({ draining: true });
    await until(async () => {
      expect((await ask(completions(), { body: chat() })).status).toBe(200);
      return (await usable()).every((count) => count === 1);
    });
    const met = engines[0]?.requestCount ?? 0;
    for (let n = 0; n < 10; n++) await ask(completions(), { body: chat() });
    // Each of them sends one more at most, when the time of the ejection is over.
    expect(engines[0]?.requestCount).toBeLessThanOrEqual(met + WORKERS);
  });
});

describe('a limit on the requests of an engine, with two workers', () => {
  beforeAll(async () => start('--max-requests-per-engine', '1'));
  afterAll(stop);

  it('is held for all of them together', async () => {
    const first = await stream(30_000);
    const [busy, free] = engines.map(({ inFlight }) => inFlight) as [number, number];
    expect(busy + free).toBe(1);
    const held = engines[busy === 1 ? 0 : 1]!;
    // Both workers know of the stream once neither sends anything to its engine.
    await until(async () => {
      const before = held.requestCount;
      await ofEach(async () => ask(completions(), { body: chat() }));
      return held.requestCount === before;
    });
    // To either, the free engine may still seem to have the request that has just ended.
    let second = await stream(30_000);
    while (second.status !== 200) second = await stream(30_000);
    const refusals = async (): Promise<string[]> =>
      ofEach(async () => {
        const answer = await ask(completions(), { body: chat() });
        return answer.status === 200 ? 'served' : String(errorOf(answer).code);
      });
    await until(async () => (await refusals()).every((code) => code === 'overloaded'));
    for (const { leave } of [first, second]) leave();
    await until(async () => (await refusals()).every((code) => code === 'served'));
  });
});

describe('a router with two workers and a dynamic file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vllm-router-workers-'));
  const file = join(folder, 'dynamic.json');
  const put = (fields: object): void => {
    const urls = engines.map(({ url }) => url).join(',');
    const content = { service_discovery: 'static', static_backends: urls, static_models: 'tiny,tiny' };
    writeFileSync(`${file}.new`, JSON.stringify({ ...content, ...fields }));
    renameSync(`${file}.new`, file);
  };

  beforeAll(async () => {
    const plugin = join(folder, 'picky.mjs');
    writeFileSync(
      plugin,
      `import cluster from 'node:cluster';
      export default ({ RoutingStrategy }) => ({ strategies: [class Picky extends RoutingStrategy {
        static strategyName = 'picky';
        static reads = ['sessionKey'];
        constructor({ sessionKey }) {
          super();
          if (sessionKey === 'x-not-two' && cluster.worker?.id === 2) throw new Error('not in this one');
        }
        rank(_request, candidates) {
          return candidates.map((candidate) => ({ candidate, reason: 'as listed' }));
        }
      }] });`,
    );
    await startEngines();
    put({ routing_logic: 'roundrobin' });
    const dynamic = ['--dynamic-config-json', file, '--dynamic-config-interval', '0.05'];
    await startRouter('--plugin', plugin, '--shutdown-delay', '0', ...dynamic);
  });
  afterAll(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('puts a reload in force in all workers, or in none when one of them cannot', async () => {
    put({ routing_logic: 'picky', session_key: 'x-not-two' });
    await until(async () => (await health()).dynamic_config_state.last_error !== null);
    for (const told of await ofEach(health)) {
      expect(told.dynamic_config_state.last_error?.message).toBe('worker 2: not in this one');
      expect(told.dynamic_config.routing_logic).toBe('roundrobin');
    }
    for (let n = 0; n < 4; n++) await ask(completions(), { body: chat() });
    expect(engines.map(({ requestCount }) => requestCount)).toEqual([2, 2]);

    put({ routing_logic: 'picky', session_key: 'x-all' });
    const applied = (told: Health): boolean =>
      told.dynamic_config_state.last_error === null && told.dynamic_config.routing_logic === 'picky';
    await until(async () => (await ofEach(health)).every(applied));
    const before = engines.map(({ requestCount }) => requestCount);
    for (let n = 0; n < 4; n++) await ask(completions(), { body: chat() });
    const more = engines.map(({ requestCount }, at) => requestCount - (before[at] ?? 0));
    expect(new Set(more)).toEqual(new Set([0, 4]));
    expect(router.output.filter((line) => line.includes('applied; changed'))).toHaveLength(1);
  });

  it('lets streams end even when its primary process is killed', async () => {
    const streams = await ofEach(async () => stream(200));
    const workers = pids();
    router.child.kill('SIGKILL');
    expect(await Promise.all(streams.map(async ({ end }) => end()))).toEqual([
      'data: [DONE]',
      'data: [DONE]',
    ]);
    const alive = (pid: number): boolean => {
      try {
        // A process that has ended and that nobody has waited for is a zombie.
        return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
      } catch {
        return false;
      }
    };
    await until(() => !workers.some(alive));
  });
});
