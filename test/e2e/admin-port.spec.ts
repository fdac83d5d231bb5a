import type { RunningRouter } from '../../src/serve.js';
import { ask, jsonOf, openSocket, rawExchange, readToClose } from '../support/http-client.js';
import { RecordingEngine } from '../support/recording-engine.mjs';
import { startRouterProcess } from '../support/router-process.js';
import { startTestRouter } from '../support/start-router.js';

let engine: RecordingEngine;
const starts = (...flags: string[]): Promise<RunningRouter> =>
  startTestRouter([{ url: engine.url, models: ['m'] }], ['--allow-explain', ...flags]);
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const statusOf = async (url: string, headers = {}): Promise<number> => (await ask(url, { headers })).status;
const INSIDE = ['/metrics', '/debug/routing', '/debug/routing?n=1'];
const PROBES = ['/health', '/ready', '/version'];

beforeAll(async () => {
  engine = await RecordingEngine.start();
});
afterAll(async () => {
  await engine.stop();
});

describe('a router without an admin port', () => {
  it('shows everything on its only one', async () => {
    const router = await starts();
    for (const path of [...INSIDE, ...PROBES])
      expect([path, await statusOf(router.url + path)]).toEqual([path, 200]);
    expect(jsonOf(await ask(`${router.url}/health`))).toHaveProperty('engines');
    expect(router.adminPort).toBeNull();
    await router.close();
  });

  it('asks for the admin key where it has one', async () => {
    const router = await starts('--admin-key', 'boss', '--api-key', 'one');
    for (const path of INSIDE) {
      const url = router.url + path;
      expect([await statusOf(url), await statusOf(url, bearer('one'))]).toEqual([401, 401]);
      expect([await statusOf(url, bearer('boss')), await statusOf(url, { 'x-api-key': 'boss' })]).toEqual([
        200, 200,
      ]);
    }
    for (const path of PROBES) expect(await statusOf(router.url + path)).toBe(200);
    expect(jsonOf(await ask(`${router.url}/health`))).toEqual({ status: 'healthy' });
    expect(jsonOf(await ask(`${router.url}/health`, { headers: bearer('boss') }))).toHaveProperty('engines');
    expect(await statusOf(`${router.url}/v1/models`, bearer('boss'))).toBe(401);
    await router.close();
  });
});

describe('an admin port', () => {
  let router: RunningRouter;
  let admin: string;
  beforeAll(async () => {
    router = await starts('--admin-port', '0', '--api-key', 'one');
    admin = `http://127.0.0.1:${router.adminPort}`;
  });
  afterAll(async () => {
    await router.close();
  });

  it('takes what tells of the inside from the main port', async () => {
    for (const path of INSIDE) {
      expect([path, await statusOf(router.url + path)]).toEqual([path, 404]);
      expect([path, await statusOf(router.url + path, bearer('one'))]).toEqual([path, 404]);
      expect([path, await statusOf(admin + path)]).toEqual([path, 200]);
    }
  });

  it('answers probes, and so does the main port, which tells nothing of the inside', async () => {
    for (const path of PROBES) {
      expect([await statusOf(router.url + path), await statusOf(admin + path)]).toEqual([200, 200]);
    }
    expect(jsonOf(await ask(`${router.url}/health`))).toEqual({ status: 'healthy' });
    expect(jsonOf(await ask(`${admin}/health`))).toHaveProperty('engines');
  });

  it('lets nobody ask an engine', async () => {
    const body = { model: 'm', prompt: 'x' };
    for (const path of ['/v1/completions', '/v1/other', '/v1/models', '/']) {
      const answer = await ask(admin + path, { body, headers: bearer('one') });
      expect([path, answer.status]).toEqual([path, 404]);
    }
    expect(await statusOf(`${admin}/v1/models`, bearer('one'))).toBe(404);
    const upgrade =
      'GET /v1/realtime?model=m HTTP/1.1\r\nhost: r\r\nupgrade: websocket\r\nconnection: Upgrade, close\r\n' +
      'authorization: Bearer one\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
    expect(await rawExchange(admin, upgrade)).toMatch(/^(HTTP\/1\.1 404 |$)/);
    expect(engine.requests).toHaveLength(0);
  });

  it('refuses what is no HTTP and heads that are too large', async () => {
    expect(await rawExchange(admin, 'GET / HTTP/1.1\r\nx y\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    const large = `GET /metrics HTTP/1.1\r\nhost: r\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`;
    expect(await rawExchange(admin, large)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('needs the admin key where there is one', async () => {
    const guarded = await starts('--admin-port', '0', '--admin-key', 'boss');
    const url = `http://127.0.0.1:${guarded.adminPort}`;
    for (const path of INSIDE) {
      expect([await statusOf(url + path), await statusOf(url + path, bearer('boss'))]).toEqual([401, 200]);
      expect(await statusOf(guarded.url + path, bearer('boss'))).toBe(404);
    }
    expect(jsonOf(await ask(`${url}/health`))).toEqual({ status: 'healthy' });
    await guarded.close();
  });

  it('that is taken ends the start in one sentence', async () => {
    await expect(starts('--admin-port', String(router.adminPort))).rejects.toThrow(
      /^--admin-port \d+ at --admin-host 127\.0\.0\.1: .*EADDRINUSE/,
    );
  });

  it('does not hold a shutdown', async () => {
    const going = await starts('--admin-port', '0', '--shutdown-delay', '0', '--shutdown-timeout', '0');
    const idle = await openSocket(`http://127.0.0.1:${going.adminPort}`);
    idle.write('GET /health HTTP/1.1\r\nhost: r\r\n\r\nGET');
    const answered = readToClose(idle);
    await going.shutDown();
    expect(await answered).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('an admin port of several workers', () => {
  it('gives one answer for all of them, whichever takes the connection', async () => {
    const router = await startRouterProcess(
      [{ url: engine.url, models: ['m'] }],
      ['--workers', '2', '--admin-port', '0', '--shutdown-delay', '0'],
    );
    try {
      const ports = router.output.flatMap(
        (line) => /admin routes on 127\.0\.0\.1:(\d+)/.exec(line)?.[1] ?? [],
      );
      expect(new Set(ports).size).toBe(1);
      for (let n = 0; n < 3; n++)
        await ask(`${router.url}/v1/completions`, { body: { model: 'm', prompt: 'x' } });
      for (let n = 0; n < 4; n++) {
        const { body } = await ask(`http://127.0.0.1:${ports[0]}/metrics`);
        expect(body.toString()).toMatch(/^vllm_router_requests_total\{[^}]*\} 3$/m);
      }
      expect(await statusOf(`${router.url}/metrics`)).toBe(404);
    } finally {
      await router.kill();
    }
  });
});
