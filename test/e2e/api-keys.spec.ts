import { createHash } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningRouter } from '../../src/serve.js';
import { ask, errorOf, jsonOf, rawExchange } from '../support/http-client.js';
import { RecordingEngine } from '../support/recording-engine.mjs';
import { metric } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

const body = { model: 'm', prompt: 'x' };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const line = (name: string, key: string): string =>
  `${name}:${createHash('sha256').update(key).digest('hex')}\n`;

let folder: string;
let engine: RecordingEngine;
let router: RunningRouter;
const put = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
  return path;
};
const start = async (...flags: string[]): Promise<void> => {
  const follow = ['--dynamic-config-interval', '0.05'];
  router = await startTestRouter([{ url: engine.url, models: ['m'] }], [...follow, ...flags]);
};
const post = (path: string, headers = {}) => ask(router.url + path, { body, headers });
const statusOf = async (path: string, headers = {}): Promise<number> => (await post(path, headers)).status;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vllm-router-keys-'));
  engine = await RecordingEngine.start();
});
afterEach(async () => {
  engine.forget();
  await router.close();
});
afterAll(async () => {
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The short way, and by Fastify. */
const PATHS = ['/v1/completions', '/v1/completions?x=1', '/v1/other'];

describe('a router with client keys', () => {
  it.each(PATHS)('takes a request for %s with one of them, by either header', async (path) => {
    await start('--api-key', 'one', '--api-key', 'two');
    expect(await statusOf(path, bearer('one'))).toBe(200);
    expect(await statusOf(path, bearer('two'))).toBe(200);
    expect(await statusOf(path, { 'x-api-key': 'two' })).toBe(200);
    expect(engine.requests).toHaveLength(3);
  });

  it.each(PATHS)('refuses other requests for %s, and no engine hears of them', async (path) => {
    await start('--api-key', 'one');
    for (const headers of [{}, bearer('two'), bearer('on'), { authorization: 'one' }, { 'x-api-key': 'x' }]) {
      const answer = await post(path, headers);
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(answer.headers['x-request-id']).toMatch(/./);
      expect(errorOf(answer)).toMatchObject({ type: 'invalid_request_error', code: 'invalid_api_key' });
    }
    expect(engine.requests).toHaveLength(0);
    expect(await metric(router.url, 'vllm_router_rejections_total', 'invalid_api_key')).toBe(5);
  });

  it("refuses in Anthropic's shape where that is the API", async () => {
    await start('--api-key', 'one');
    for (const path of ['/v1/messages', '/v1/messages?beta=true']) {
      const answer = await post(path);
      expect(answer.status).toBe(401);
      expect(jsonOf(answer)).toMatchObject({ type: 'error', error: { type: 'authentication_error' } });
    }
  });

  it('asks for one for the list of models, and not for probes and metrics', async () => {
    await start('--api-key', 'one');
    const get = async (path: string, headers = {}) => (await ask(router.url + path, { headers })).status;
    expect(await Promise.all(['/health', '/ready', '/version', '/metrics'].map((path) => get(path)))).toEqual(
      [200, 200, 200, 200],
    );
    expect(await get('/v1/models')).toBe(401);
    expect(await get('/v1/models/m')).toBe(401);
    expect(await get('/v1/models', bearer('one'))).toBe(200);
  });

  it.each(PATHS)('answers a request for %s before its body, and closes', async (path) => {
    await start('--api-key', 'one');
    const head = `POST ${path} HTTP/1.1\r\nhost: r\r\ncontent-length: 100000000\r\n`;
    for (const more of ['', 'expect: 100-continue\r\n']) {
      const answer = await rawExchange(router.url, `${head}${more}\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
      expect(answer).toMatch(/\r\nconnection: close\r\n/i);
      expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1);
    }
    expect(await metric(router.url, 'vllm_router_body_memory_bytes')).toBe(0);
  });

  it.each(PATHS)('lets the connection go on behind a refusal of %s that has no body', async (path) => {
    await start('--api-key', 'one');
    const lines = 'host: r\r\ncontent-length: 0\r\n';
    const good = `POST /v1/completions HTTP/1.1\r\nhost: r\r\nauthorization: Bearer one\r\nconnection: close\r\ncontent-length: 26\r\n\r\n{"model":"m","prompt":"x"}`;
    const answer = await rawExchange(router.url, `POST ${path} HTTP/1.1\r\n${lines}\r\n${good}`);
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200']);
  });

  it('answers a CORS preflight, which carries no key', async () => {
    await start('--api-key', 'one', '--allowed-origins', 'https://app.example.com');
    const origin = { origin: 'https://app.example.com' };
    const asked = { ...origin, 'access-control-request-method': 'POST' };
    for (const path of ['/v1/completions', '/v1/models']) {
      const answer = await ask(router.url + path, { method: 'OPTIONS', headers: asked });
      expect(answer.status).toBe(204);
    }
    const refused = await post('/v1/completions', origin);
    expect(refused.status).toBe(401);
    expect(refused.headers['access-control-allow-origin']).toBe('https://app.example.com');
  });

  it('asks for one for WebSockets', async () => {
    await start('--api-key', 'one');
    const upgrade = (more: string): Promise<string> =>
      rawExchange(
        router.url,
        `GET /v1/realtime?model=m HTTP/1.1\r\nhost: r\r\nupgrade: websocket\r\nconnection: Upgrade\r\n` +
          `sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${more}\r\n`,
      );
    expect(await upgrade('')).toMatch(/^HTTP\/1\.1 401 [\s\S]*www-authenticate: Bearer/);
    expect(engine.requests).toHaveLength(0);
    const served = upgrade('authorization: Bearer one\r\n');
    await until(() => engine.requests.length === 1);
    expect(engine.requests[0]!.head).not.toMatch(/Bearer/);
    await router.close();
    await served;
  });
});

describe('a file of client keys', () => {
  it('is followed, and one that is wrong changes nothing', async () => {
    const file = put('keys', line('team-a', 'one'));
    await start('--api-key-file', file);
    expect(await statusOf('/v1/completions', bearer('one'))).toBe(200);
    put('keys', `# rotated\n${line('team-a', 'two')}${line('team-b', 'three')}`);
    await until(async () => (await statusOf('/v1/completions', bearer('two'))) === 200);
    expect(await statusOf('/v1/completions', bearer('three'))).toBe(200);
    expect(await statusOf('/v1/completions', bearer('one'))).toBe(401);

    put('keys', `${line('team-a', 'four')}team-b:in-clear-text\n`);
    const files = async () => {
      const told = jsonOf<{ files: { flags: string; last_error: { message: string } | null }[] }>(
        await ask(`${router.url}/health`),
      );
      return told.files;
    };
    await until(async () => (await files())[0]?.last_error !== null);
    expect(await files()).toMatchObject([
      { flags: '--api-key-file', last_error: { message: expect.stringMatching(/^line 2 has no SHA-256/) } },
    ]);
    expect(JSON.stringify(await files())).not.toContain('in-clear-text');
    expect(await statusOf('/v1/completions', bearer('two'))).toBe(200);
    expect(await statusOf('/v1/completions', bearer('four'))).toBe(401);

    put('keys', line('team-a', 'five'));
    await until(async () => (await statusOf('/v1/completions', bearer('five'))) === 200);
    expect((await files())[0]?.last_error).toBeNull();
  });

  it('must be right at the start', async () => {
    await start('--api-key', 'x');
    const file = put('wrong', 'team-a:secret-in-clear-text\n');
    const started = startTestRouter([{ url: engine.url, models: ['m'] }], ['--api-key-file', file]);
    await expect(started).rejects.toThrow(/^--api-key-file: line 1 has no SHA-256/);
  });
});

/** What an engine gets of `Authorization: Bearer client` and `x-api-key: client2`. */
describe('the keys that reach an engine', () => {
  const shown = async (headers: object): Promise<string[]> => {
    engine.forget();
    await ask(`${router.url}/v1/completions`, { body, headers: { ...headers } });
    const lines = engine.requests[0]!.head.split('\r\n');
    return lines.filter((one) => /^(authorization|x-api-key):/i.test(one)).map((one) => one.toLowerCase());
  };
  const clients = { ...bearer('client'), 'x-api-key': 'client2' };
  const theirs = ['authorization: bearer client', 'x-api-key: client2'];
  const ours = ['authorization: bearer usual'];
  const KEYS = ['--api-key', 'client'];

  it("are the client's when the router has none", async () => {
    await start();
    expect(await shown(clients)).toEqual(theirs);
  });

  it("are none when the client's is the router's", async () => {
    await start(...KEYS);
    expect(await shown(clients)).toEqual([]);
  });

  it.each([[], KEYS])('are those of the engine in place of any other, with flags %j', async (...flags) => {
    const file = put('engine', '* usual\n');
    await start(...flags, '--engine-api-key-file', file);
    expect(await shown(clients)).toEqual(ours);
    put('engine', `* other\n${engine.url} its-own\n`);
    await until(async () => (await shown(clients))[0] === 'authorization: bearer its-own');
    put('engine', 'nonsense\n');
    expect(await shown(clients)).toEqual(['authorization: bearer its-own']);
  });

  it("are the client's where that is asked for, else those of the engine", async () => {
    const file = put('engine', '* usual\n');
    await start('--engine-api-key-file', file, '--forward-client-key');
    expect(await shown(clients)).toEqual(theirs);
    expect(await shown({})).toEqual(ours);
    await router.close();
    await start(...KEYS, '--forward-client-key');
    expect(await shown(clients)).toEqual(theirs);
  });
});
