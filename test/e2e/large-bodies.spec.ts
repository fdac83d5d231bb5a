import { createHash, randomBytes } from 'node:crypto';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import { ask, begin, errorOf } from '../support/http-client.js';
import { whenNothingIsHeld } from '../support/router-metrics.js';
import { type RouterProcess, startRouterProcess } from '../support/router-process.js';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const JSON_TYPE = { 'content-type': 'application/json' };

/** The most that a transcription may bring to OpenAI. */
const MOST = 25_000_000;
/** Five times what is read in another thread. */
const LARGE = 5_000_000;

/** JSON of at least so many bytes that no parser would write like this, its model at the very end. */
function oddJson(model: string, size: number): Buffer {
  const line =
    ' "dup" :1,\t"dup": 12345678901234567890 , "t":"na\u00efve \\u00e9 \u4f60\u597d \ud83d\ude80 \\/ \\n",\r\n';
  const middle = line.repeat(Math.ceil(size / Buffer.byteLength(line)));
  return Buffer.from(
    `{ "model":"other",${middle} "messages":[ {"role":"user" ,"content":"a"} ],"model" : "${model}" }\n`,
  );
}

describe('a large body', () => {
  let engines: SimulatedEngine[];
  let router: RouterProcess;

  beforeAll(async () => {
    engines = await Promise.all([1, 2].map(() => startSimulatedEngine({ models: ['tiny'] })));
    router = await startRouterProcess(engines, ['--session-key', 'user', '--routing-logic', 'session']);
  });
  afterEach(() => whenNothingIsHeld(router.url));
  afterAll(async () => {
    await router.kill();
    await Promise.all(engines.map((engine) => engine.close()));
  });

  it('of 25 MB reaches the engine byte for byte, and so does the answer its client', async () => {
    const body = oddJson('tiny', MOST);
    expect(body.length).toBeGreaterThan(MOST);
    for (const engine of engines) await engine.setFault({ echo: true });
    const answer = await ask(`${router.url}/v1/chat/completions`, { body, headers: JSON_TYPE });
    expect(engines.flatMap(({ requests }) => requests.map((seen) => seen.sha256))).toEqual([sha256(body)]);
    expect(answer.headers['content-length']).toBe(String(body.length));
    expect(sha256(answer.body)).toBe(sha256(body));
  });

  // Before an engine fails: one that is ejected would not be the session's home.
  it('of a form of 25 MB keeps its session and its model', async () => {
    const boundary = 'b0undary';
    const part = (head: string, value: Buffer | string): Buffer[] => [
      Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; ${head}\r\n\r\n`),
      Buffer.from(value),
      Buffer.from('\r\n'),
    ];
    const body = Buffer.concat([
      ...part('name="user"', 'anna'),
      ...part('name="file"; filename="a.wav"', randomBytes(MOST)),
      ...part('name="model"', 'tiny'),
      Buffer.from(`--${boundary}--\r\n`),
    ]);
    const counts = engines.map(({ requestCount }) => requestCount);
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
    for (const _ of [1, 2]) {
      expect((await ask(`${router.url}/v1/audio/transcriptions`, { body, headers })).status).toBe(200);
    }
    const seen = engines.map(({ requests }, i) => requests.slice(counts[i]).map((one) => one.sha256));
    expect(seen.sort((a, b) => a.length - b.length)).toEqual([[], [sha256(body), sha256(body)]]);
  });

  it('is sent whole to a second engine when the first one fails', async () => {
    const body = oddJson('tiny', LARGE);
    await Promise.all(engines.map((engine) => engine.setFault({ reset: 'before-head' })));
    const counts = engines.map(({ requestCount }) => requestCount);
    expect((await ask(`${router.url}/v1/chat/completions`, { body, headers: JSON_TYPE })).status).toBe(502);
    const seen = engines.flatMap(({ requests }, i) => requests.slice(counts[i]));
    // Each engine met it on the connection kept from before, which might have been stale, or on a fresh one.
    expect(new Set(seen.map((one) => one.sha256))).toEqual(new Set([sha256(body)]));
    expect(seen.length).toBeGreaterThanOrEqual(2);
    await Promise.all(engines.map((engine) => engine.setFault(null)));
  });

  it('is read while small requests go on', async () => {
    const large = oddJson('tiny', LARGE);
    for (const engine of engines) await engine.setFault({ echo: true });
    const sent = ask(`${router.url}/v1/chat/completions`, { body: large, headers: JSON_TYPE });
    for (let i = 0; i < 20; i++) expect((await ask(`${router.url}/health`)).status).toBe(200);
    expect((await sent).status).toBe(200);
  });

  it.each<[what: string, make: () => Buffer, status: number, code: string]>([
    ['names an unknown model', () => oddJson('nope', LARGE), 404, 'model_not_found'],
    ['breaks off', () => oddJson('tiny', LARGE).subarray(0, -3), 400, 'invalid_json'],
    ['is nothing but depth', () => Buffer.from('['.repeat(1_100_000)), 400, 'invalid_json'],
    ['is a list', () => Buffer.from(`[${'1,'.repeat(2_000_000)}1]`), 400, 'invalid_request'],
    [
      'has a number for its model',
      () => Buffer.from(`{"model":1,"x":"${'y'.repeat(2_000_000)}"}`),
      400,
      'invalid_request',
    ],
  ])('that %s is refused like a small one', async (_what, make, status, code) => {
    const answer = await ask(`${router.url}/v1/chat/completions`, { body: make(), headers: JSON_TYPE });
    expect([answer.status, errorOf(answer).code]).toEqual([status, code]);
  });

  it('whose client leaves while it is read leaves nothing behind', async () => {
    const leaving = [1, 2, 3].map(async () => {
      const request = begin(`${router.url}/v1/chat/completions`, {
        body: oddJson('tiny', LARGE),
        headers: JSON_TYPE,
      });
      request.on('error', () => undefined);
      await new Promise((resolve) => request.once('finish', resolve));
      request.destroy();
    });
    await Promise.all(leaving);
    await whenNothingIsHeld(router.url);
  });
});
