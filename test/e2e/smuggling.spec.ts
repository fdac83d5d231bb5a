import { join } from 'node:path';
import { startRouter, type RunningRouter } from '../../src/serve.js';
import { refusedRequests, smuggledBehind, understoodRequests } from '../support/hostile-requests.mjs';
import { ROOT } from '../support/project-files.js';
import { RecordingEngine, sendBytes } from '../support/recording-engine.mjs';
import { flagsFor } from '../support/start-router.js';
import { until } from '../support/until.js';

const tlsFile = (name: string): string => join(ROOT, 'test/fixtures/tls', name);
const TLS = ['--ssl-certfile', tlsFile('server.pem'), '--ssl-keyfile', tlsFile('server-key.pem')];

/** The short way, Fastify's way with the same body, and a path that the router does not know. */
const PATHS = ['/v1/completions', '/v1/completions?a=b', '/v1/unknown'];
/** Answers of ours, in the shape of the API. */
const REFUSAL = /^HTTP\/1\.1 (400|401|404|408|413|431) [\s\S]*\{"error":\{/;
/** Of these the router cannot know that they never end. */
const WAITS = /^a chunk size of (64 bits|2 GiB)/;
const LIMIT_MS = 15_000;

describe.each<[string, string[]]>([
  ['the client http1 out', ['--upstream-client', 'http1']],
  ['the client undici out', ['--upstream-client', 'undici']],
  ['TLS in', TLS],
  ['keys asked for', ['--api-key', 'k']],
])('with %s', (_name, flags) => {
  let engine: RecordingEngine;
  let router: RunningRouter;

  beforeAll(async () => {
    engine = await RecordingEngine.start();
    const served = [{ url: engine.url, models: ['m'] }];
    const soon = ['--client-body-timeout', '0.5', '--client-header-timeout', '2'];
    router = await startRouter(flagsFor(served, [...flags, ...soon, '--admin-port', '0']), {});
    await until(async () => (await fetch(`http://127.0.0.1:${router.adminPort}/ready`)).ok);
  });
  afterEach(() => engine.forget());
  afterAll(async () => {
    await router.close();
    await engine.stop();
  });

  it('a request that can be read in two ways is refused whole, with what hides behind it', async () => {
    const wrong: string[] = [];
    const send = async (path: string, name: string, bytes: string): Promise<void> => {
      const { answer, closed } = await sendBytes(router.url, bytes + smuggledBehind(name), LIMIT_MS);
      const answers = answer.match(/HTTP\/1\.1 \d/g) ?? [];
      if (!closed || answers.length !== 1 || !REFUSAL.test(answer)) {
        wrong.push(`${path}: ${name}: ${closed ? '' : 'not closed, '}${answer.slice(0, 400)}`);
      }
    };
    for (const path of PATHS.slice(1)) {
      const quick = refusedRequests(path).filter(([name]) => !WAITS.test(name));
      await Promise.all(quick.map(([name, bytes]) => send(path, name, bytes)));
    }
    // The first path has those that are refused by the clock, too.
    await Promise.all(refusedRequests(PATHS[0]!).map(([name, bytes]) => send(PATHS[0]!, name, bytes)));
    expect(wrong).toEqual([]);
    expect(engine.requests).toEqual([]);
    expect(engine.stray).toBe('');
  }, 60_000);

  if (flags.includes('--api-key')) return;

  describe.each(PATHS)('a request for %s', (path) => {
    it.each(understoodRequests(path))('(%s) is read in one way', async (_how, bytes, bodies) => {
      const { answer, closed } = await sendBytes(router.url, bytes, LIMIT_MS);
      expect(closed).toBe(true);
      expect(engine.requests.map(({ body }) => body)).toEqual(bodies);
      expect(engine.stray).toBe('');
      expect(answer.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(bodies.length);
      for (const { head } of engine.requests) {
        expect(head.split('\r\n').slice(0, 2)).toEqual([
          `POST ${path} HTTP/1.1`,
          expect.stringMatching(new RegExp(`^host: ${new URL(engine.url).host}$`, 'i')),
        ]);
        expect(head.match(/^(content-length|transfer-encoding):.*/gim)).toHaveLength(1);
        expect(head).not.toMatch(/^(upgrade|http2-settings|te|trailer):/im);
      }
    });
  });
});
