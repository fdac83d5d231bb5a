import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { IncomingMessage } from 'node:http';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import { chat, framesOf } from '../support/http-client.js';
import { readProjectFile, ROOT } from '../support/project-files.js';
import { flagsFor } from '../support/start-router.js';
import { startRouter } from '../../src/serve.js';
import { until } from '../support/until.js';

const FIXTURES = join(ROOT, 'test/fixtures/tls');
const fixture = (name: string): string => readProjectFile(`test/fixtures/tls/${name}`);
const ca = fixture('ca.pem');

let folder: string;
let engine: SimulatedEngine;
let router: RunningRouter;

const place = (name: string, from: string): string => {
  copyFileSync(join(FIXTURES, from), join(folder, name));
  return join(folder, name);
};
const start = async (...flags: string[]): Promise<void> => {
  const files = [
    '--ssl-certfile',
    place('tls.crt', 'server.pem'),
    '--ssl-keyfile',
    place('tls.key', 'server-key.pem'),
  ];
  const follow = ['--dynamic-config-interval', '0.05', '--admin-port', '0'];
  router = await startTls([...files, ...follow, ...flags]);
};
/** Probed by its admin port, which speaks plain HTTP. */
const startTls = async (flags: string[]): Promise<RunningRouter> => {
  const started = await startRouter(flagsFor([engine], flags), {});
  await until(async () => (await fetch(`http://127.0.0.1:${started.adminPort}/ready`)).ok);
  return started;
};
const metricsText = async (): Promise<string> =>
  (await fetch(`http://127.0.0.1:${router.adminPort}/metrics`)).text();

async function dial(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(router.url).port), ca, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

/** A whole answer; rejects when the connection fails before its end. */
async function post(
  path: string,
  body: object,
  agent = new Agent({ ca }),
): Promise<{ status: number; body: Buffer; answer: IncomingMessage }> {
  const bytes = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(bytes) };
  const sent = request(router.url + path, { method: 'POST', agent, headers });
  sent.end(bytes);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, body: await buffer(answer), answer };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vllm-router-tls-'));
  engine = await startSimulatedEngine({ models: ['tiny'] });
});
afterEach(async () => {
  await router.close();
});
afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a router that speaks TLS', () => {
  it.each(['/v1/chat/completions', '/v1/chat/completions?x=1'])(
    'serves %s whole and in a stream, on one connection',
    async (path) => {
      await start();
      const agent = new Agent({ ca, keepAlive: true, maxSockets: 1 });
      const whole = await post(path, chat(), agent);
      expect(whole.status).toBe(200);
      const { status, body, answer } = await post(path, chat({ stream: true, max_tokens: 50 }), agent);
      expect(status).toBe(200);
      expect(answer.headers['transfer-encoding']).toBe('chunked');
      expect(framesOf(body).at(-1)).toBe('data: [DONE]');
      const large = await post(path, chat({ pad: 'x'.repeat(900_000) }), agent);
      expect(large.status).toBe(200);
      expect(engine.requests.at(-1)?.headers['x-forwarded-proto']).toBe('https');
      agent.destroy();
    },
  );

  it('lets a stream end when its client leaves', async () => {
    await start();
    const socket = await dial();
    const body = JSON.stringify(chat({ stream: true, max_tokens: 100_000, ignore_eos: true }));
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await once(socket, 'data');
    socket.destroy();
    await until(async () => /^vllm_router_client_disconnects_total 1$/m.test(await metricsText()));
  });

  it('speaks TLS 1.2 and 1.3, and nothing older', async () => {
    await start();
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await dial({ minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
      socket.destroy();
    }
    const old = dial({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' });
    await expect(old).rejects.toThrow(/alert protocol version|unsupported protocol|EPROTO/i);
  });

  it('closes connections that do not speak it, or not in time', async () => {
    await start('--client-header-timeout', '0.5');
    const port = Number(new URL(router.url).port);
    const plain = connectTcp(port, '127.0.0.1');
    plain.write('GET /health HTTP/1.1\r\nhost: r\r\n\r\n');
    const silent = connectTcp(port, '127.0.0.1');
    const shut = async (socket: typeof plain): Promise<string> => {
      let text = '';
      socket.on('data', (part: Buffer) => (text += part.toString('latin1'))).on('error', () => undefined);
      await once(socket, 'close');
      return text;
    };
    const [answer] = await Promise.all([shut(plain), shut(silent)]);
    expect(answer).not.toMatch(/HTTP/);
  });

  it('does not wait for them when it goes down', async () => {
    await start('--shutdown-delay', '0', '--shutdown-timeout', '5');
    const silent = connectTcp(Number(new URL(router.url).port), '127.0.0.1');
    silent.on('error', () => undefined);
    await once(silent, 'connect');
    const idle = await dial();
    idle.on('error', () => undefined);
    const gone = Promise.all([once(silent, 'close'), once(idle, 'close')]);
    await router.shutDown();
    await gone;
  });

  it('follows its files, together or not at all', async () => {
    await start();
    const shown = async (): Promise<string> => {
      const socket = await dial();
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      return String(CN);
    };
    expect(await shown()).toBe('server');
    const held = await dial();
    // The certificate comes before its key: they do not belong together yet.
    place('tls.crt', 'rotated.pem');
    const told = async (): Promise<string> =>
      (await fetch(`http://127.0.0.1:${router.adminPort}/health`)).text();
    await until(async () => (await told()).includes('key values mismatch'));
    expect(await shown()).toBe('server');
    place('tls.key', 'rotated-key.pem');
    await until(async () => (await shown()) === 'rotated');
    expect(await told()).toContain('"last_error":null');
    // Who is connected stays so.
    held.write('GET /ready HTTP/1.1\r\nhost: r\r\nconnection: close\r\n\r\n');
    expect((await buffer(held)).toString()).toMatch(/^HTTP\/1\.1 200 /);
    writeFileSync(join(folder, 'tls.key'), 'nonsense');
    await until(async () => !(await told()).includes('"last_error":null'));
    expect(await shown()).toBe('rotated');
  });

  it('asks clients for a certificate where it has authorities', async () => {
    await start('--ssl-ca-certs', place('ca.crt', 'ca.pem'));
    const own = { cert: fixture('client.pem'), key: fixture('client-key.pem') };
    expect((await post('/v1/chat/completions', chat(), new Agent({ ca, ...own }))).status).toBe(200);
    const before = engine.requestCount;
    const stranger = { cert: fixture('cert.pem'), key: fixture('key.pem') };
    for (const agent of [new Agent({ ca }), new Agent({ ca, ...stranger })]) {
      await expect(post('/v1/chat/completions', chat(), agent)).rejects.toThrow(
        /alert|ECONNRESET|hang up|EPIPE/i,
      );
    }
    expect(engine.requestCount).toBe(before);
  });
});

describe('TLS that cannot work', () => {
  it.each<[string, string[], RegExp]>([
    [
      'a certificate without a key',
      ['--ssl-certfile', 'a'],
      /--ssl-certfile and --ssl-keyfile belong together/,
    ],
    ['authorities alone', ['--ssl-ca-certs', 'a'], /--ssl-ca-certs asks clients for certificates/],
    ['files that are not there', ['--ssl-certfile', 'nowhere', '--ssl-keyfile', 'nowhere'], /ENOENT/],
    [
      'a key of another certificate',
      ['--ssl-certfile', join(FIXTURES, 'server.pem'), '--ssl-keyfile', join(FIXTURES, 'client-key.pem')],
      /^--ssl-certfile, --ssl-keyfile: .*key values mismatch/,
    ],
    ['engine authorities that are none', ['--engine-ssl-ca-certs', join(FIXTURES, 'nowhere')], /ENOENT/],
  ])('ends the start: %s', async (_what, flags, told) => {
    await start();
    await expect(startRouter(flagsFor([engine], flags), {})).rejects.toThrow(told);
  });
});
