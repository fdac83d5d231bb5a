import { createServer } from 'node:https';
import { once } from 'node:events';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { checkCommand } from '../../src/check/check.command.js';
import type { CheckedPart } from '../../src/core/check/finding.js';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { readProjectFile } from '../support/project-files.js';

const fixture = (name: string): string => readProjectFile(`test/fixtures/tls/${name}`);

/** Sent to engines, which ask for none. */
const KEY = 'hush-hush';

/** Runs the command; what it found, by part. */
async function check(urls: readonly string[], ...flags: string[]) {
  let text = '';
  const progress: string[] = [];
  const argv = ['--service-discovery', 'static', '--static-backends', urls.join(','), '--port', '0'];
  const code = await checkCommand([...argv, '--routing-logic', 'prefixaware', '--json', ...flags], {
    env: { VLLM_API_KEY: KEY },
    output: { write: (part: string) => (text += part) },
    colours: false,
    progress: (line) => progress.push(line),
  });
  const parts = JSON.parse(text) as CheckedPart[];
  const of = (name: string): string[] =>
    parts.find((part) => part.name === name)!.findings.map(({ level, what }) => `${level}: ${what}`);
  return { code, of, progress };
}

describe('the check before a start', () => {
  let engine: SimulatedEngine;

  beforeAll(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'] });
  });
  afterAll(async () => {
    await engine.close();
  });
  afterEach(async () => {
    await engine.setFault(null);
  });

  it('finds a fleet that is well, and sends it nothing to compute', async () => {
    const before = engine.requestCount;
    const { code, of, progress } = await check([engine.url]);
    expect(of(engine.url)).toEqual([expect.stringMatching(/^ok: vLLM \S+, serves 'tiny'$/)]);
    expect(of('engines')).toEqual(["ok: models: 'tiny' on 1"]);
    expect(of('discovery')).toEqual(['ok: static finds 1 engine']);
    expect(code).toBe(0);
    expect(engine.requestCount).toBe(before);
    expect(progress).toEqual(['looking for engines', '1 of 1 engines asked', '']);
  });

  it('finds engines that are not there, speak otherwise, or are others than was said', async () => {
    const secure = createServer(
      { cert: fixture('server.pem'), key: fixture('server-key.pem') },
      (_, answer) => answer.end('{}'),
    ).listen(0, '127.0.0.1');
    const silent = createTcpServer((socket) => socket.on('error', () => undefined).end('SSH-2.0\r\n')).listen(
      0,
      '127.0.0.1',
    );
    await Promise.all([once(secure, 'listening'), once(silent, 'listening')]);
    const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;
    const urls = {
      dead: 'http://127.0.0.1:9',
      unknown: 'http://engine.invalid:8000',
      untrusted: `https://127.0.0.1:${portOf(secure)}`,
      plain: `https://127.0.0.1:${new URL(engine.url).port}`,
      other: `http://127.0.0.1:${portOf(silent)}`,
    };
    const all = [...Object.values(urls), engine.url];
    const { code, of } = await check(all, '--static-models', all.map(() => 'qwen').join(','));
    expect(code).toBe(1);
    expect(of(urls.dead)[0]).toMatch(/^problem: nothing listens there/);
    expect(of(urls.unknown)[0]).toMatch(/^problem: its name is not known/);
    expect(of(urls.untrusted)[0]).toMatch(/^problem: its certificate is not trusted/);
    expect(of(urls.plain)[0]).toMatch(/^problem: it does not speak TLS there/);
    expect(of(urls.other)[0]).toMatch(/^problem: it does not speak HTTP there/);
    expect(of(engine.url)).toEqual(["problem: it does not serve 'qwen' but 'tiny'"]);
    secure.close();
    silent.close();
  });

  it('finds an engine that says it cannot serve', async () => {
    await engine.setFault({ on: '/health', status: 503 });
    const { code, of } = await check([engine.url]);
    expect(code).toBe(1);
    expect(of(engine.url)).toEqual(['problem: /health answers 503: it cannot serve']);
  });

  it('prints no key, whatever an engine says', async () => {
    const bodyBytes = JSON.stringify({ object: 'list', data: [{ id: `say-${KEY}` }] });
    await engine.setFault({ on: '/v1/models', answer: { bodyBytes } });
    const { of } = await check([engine.url]);
    expect(of('engines')).toEqual(["ok: models: 'say-***' on 1"]);
    expect(of(engine.url).join()).not.toContain(KEY);
  });

  it('finds what the machine does not give', async () => {
    const taken = createTcpServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const flags = [
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--workers',
      '64',
      '--static-model-types',
      'chat',
    ];
    const { code, of } = await check([engine.url], ...flags);
    expect(code).toBe(0);
    expect(of('settings')).toEqual([
      'ok: static, prefixaware',
      expect.stringContaining('--static-model-types'),
      `warning: --port ${port}: something listens there already`,
      expect.stringMatching(/^warning: --workers 64: there are \d+ cores here$/),
    ]);
    taken.close();
  });

  it('ends as the router does with settings that cannot work', async () => {
    await expect(check([engine.url], '--idle-timeout', 'soon', '--no-such-flag')).rejects.toMatchObject({
      problems: [expect.stringContaining('--no-such-flag'), expect.stringContaining('--idle-timeout')],
    });
  });
});
