import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningRouter } from '../../src/serve.js';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import {
  type Answer,
  ask,
  begin,
  chat,
  errorOf,
  frameReader,
  headOf,
  jsonOf,
} from '../support/http-client.js';
import { metric } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';

const KEY = { 'x-api-key': 'boss' };
let engines: SimulatedEngine[];
let router: RunningRouter;
let folder: string;

beforeAll(async () => {
  engines = await Promise.all(
    [1, 2].map(async () => startSimulatedEngine({ models: ['tiny'], tokens: 4, tokenInterval: 2 })),
  );
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'actions-'));
});
afterEach(async () => {
  await router.close();
  rmSync(folder, { recursive: true });
});
afterAll(async () => {
  await Promise.all(engines.map(async (engine) => engine.close(0)));
});

const admin = (): string => (router.adminPort === null ? router.url : `http://127.0.0.1:${router.adminPort}`);
const start = async (...flags: string[]): Promise<void> => {
  router = await startTestRouter(engines, ['--admin-port', '0', '--admin-key', 'boss', ...flags]);
};
const act = (path: string, body: object | string = {}, headers: object = KEY): Promise<Answer> =>
  ask(`${admin()}/admin/${path}`, { method: 'POST', body, headers: headers as Record<string, string> });
const send = async (): Promise<number> =>
  (await ask(`${router.url}/v1/chat/completions`, { body: chat() })).status;
const told = (answer: Answer): [number, unknown] => [answer.status, errorOf(answer).code];
const ACTIONS = ['engines/drain', 'engines/return', 'discovery/retry', 'reload'];

describe('actions of operators', () => {
  it('need the admin key, in a header', async () => {
    await start();
    for (const path of ACTIONS) {
      expect(told(await act(path, {}, {}))).toEqual([401, 'invalid_api_key']);
      expect(told(await act(path, {}, { authorization: 'Bearer other' }))).toEqual([401, 'invalid_api_key']);
      expect(told(await act(path, {}, { cookie: 'x-api-key=boss' }))).toEqual([401, 'invalid_api_key']);
      expect((await act(`${path}?key=boss`, {}, {})).status).toBe(401);
      expect((await ask(`${admin()}/admin/${path}`, { headers: KEY })).status).toBe(404);
      const main = await ask(`${router.url}/admin/${path}`, { body: {}, headers: KEY });
      expect([path, main.status]).toEqual([path, 404]);
    }
  });

  it('are off in a router without an admin key', async () => {
    router = await startTestRouter(engines, ['--dashboard']);
    for (const path of ACTIONS) expect(told(await act(path))).toEqual([403, 'actions_off']);
  });

  it('say what is wrong with a body', async () => {
    await start();
    for (const body of [
      '{',
      '[]',
      '"x"',
      '{}',
      '{"engine": 5}',
      '{"engine": ""}',
      `{"engine": "${'x'.repeat(5_000)}"}`,
    ]) {
      const answer = await act('engines/drain', body, { ...KEY, 'content-type': 'application/json' });
      expect([body.slice(0, 20), answer.status]).toEqual([body.slice(0, 20), 400]);
      expect(errorOf(answer).message).toMatch(/./);
    }
    const large = await act('engines/drain', { engine: 'x'.repeat(20_000) });
    expect(large.status).toBe(413);
    const unknown = await act('engines/drain', { engine: 'http://nobody' });
    expect(told(unknown)).toEqual([404, 'engine_not_found']);
  });
});

describe('an engine that an operator drains', () => {
  it('gets no new request, keeps its streams, and serves again when it is given back', async () => {
    await start();
    const body = chat({ stream: true, max_tokens: 50, ignore_eos: true });
    const streams = [];
    for (let n = 0; n < 2; n++) {
      const next = frameReader(await headOf(begin(`${router.url}/v1/chat/completions`, { body })));
      await next();
      streams.push(next);
    }
    const [{ url }] = engines as [SimulatedEngine, SimulatedEngine];
    expect(jsonOf(await act('engines/drain', { engine: url }))).toEqual({
      engine: url,
      drained: true,
      changed: true,
    });
    expect(jsonOf(await act('engines/drain', { engine: url }))).toMatchObject({ changed: false });
    const before = engines[0]!.requestCount;
    for (let n = 0; n < 4; n++) expect(await send()).toBe(200);
    expect(engines[0]!.requestCount).toBe(before);
    expect(await metric(admin(), 'vllm_router_engine_state', `engine="${url}",state="drained"`, KEY)).toBe(1);
    expect(await metric(admin(), 'vllm:healthy_pods_total', `server="${url}"`, KEY)).toBe(0);
    for (const next of streams) {
      let last = '';
      for (let frame = await next(); frame !== null; frame = await next()) last = frame;
      expect(last.trim()).toBe('data: [DONE]');
    }
    expect(jsonOf(await act('engines/return', { engine: url }))).toEqual({
      engine: url,
      drained: false,
      changed: true,
    });
    for (let n = 0; n < 200 && engines[0]!.requestCount === before; n++) await send();
    expect(engines[0]!.requestCount).toBeGreaterThan(before);
  });

  it('is not used as the last resort either', async () => {
    await start();
    for (const { url } of engines) await act('engines/drain', { engine: url });
    const answer = await ask(`${router.url}/v1/chat/completions`, { body: chat() });
    expect(told(answer)).toEqual([503, 'no_engine_ready']);
    expect(answer.headers['retry-after']).toBeDefined();
  });
});

describe('a reload that an operator asks for', () => {
  it('puts the dynamic file in force now, or says why not', async () => {
    const file = join(folder, 'dynamic.json');
    const write = (logic: string): void =>
      writeFileSync(
        file,
        JSON.stringify({
          service_discovery: 'static',
          static_backends: engines.map(({ url }) => url).join(','),
          static_models: 'tiny,tiny',
          routing_logic: logic,
        }),
      );
    write('roundrobin');
    await start('--dynamic-config-json', file, '--dynamic-config-interval', '3600');
    expect(jsonOf(await act('reload'))).toEqual({ dynamic_file: 'unchanged', files: [], error: null });
    write('leastload');
    expect(jsonOf(await act('reload'))).toMatchObject({ dynamic_file: 'applied', error: null });
    write('nonsense');
    const refused = jsonOf(await act('reload'));
    expect(refused).toMatchObject({ dynamic_file: 'rejected' });
    expect(refused['error']).toContain('nonsense');
    expect(await send()).toBe(200);
  });

  it('says that there is nothing to reload', async () => {
    await start();
    expect(told(await act('reload'))).toEqual([409, 'nothing_to_reload']);
  });

  it('looks at files of keys too', async () => {
    const file = join(folder, 'keys');
    writeFileSync(file, `team:${'a'.repeat(64)}\n`);
    await start('--api-key-file', file, '--dynamic-config-interval', '3600');
    writeFileSync(file, 'a key in clear text\n');
    const { files, dynamic_file: dynamic } = jsonOf<{
      files: { flags: string; error: string }[];
      dynamic_file: null;
    }>(await act('reload'));
    expect([dynamic, files[0]!.flags]).toEqual([null, '--api-key-file']);
    expect(files[0]!.error).toMatch(/line 1/i);
  });
});

describe('a discovery that an operator has begin anew', () => {
  it('asks engines for their models now, while requests go on', async () => {
    await start();
    const asked = (): number[] =>
      engines.map(({ probes }) => probes.filter(({ path }) => path === '/v1/models').length);
    const before = asked();
    expect(jsonOf(await act('discovery/retry'))).toEqual({ retried: true });
    expect(await send()).toBe(200);
    await whenModelsAreAsked(asked, before);
  });
});

async function whenModelsAreAsked(asked: () => number[], before: readonly number[]): Promise<void> {
  while (!asked().every((count, at) => count > before[at]!)) await new Promise(setImmediate);
}
