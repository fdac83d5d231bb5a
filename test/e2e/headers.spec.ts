import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import {
  ask,
  chat,
  jsonOf,
  openSocket,
  rawExchange,
  readToClose,
  readUntil,
} from '../support/http-client.js';
import { startTestRouter } from '../support/start-router.js';

const PATH = '/v1/chat/completions';
const TEXT = JSON.stringify(chat());
const post = (lines: readonly string[], body = TEXT): string =>
  `POST ${PATH} HTTP/1.1\r\n${lines.map((line) => `${line}\r\n`).join('')}content-length: ${body.length}\r\n\r\n${body}`;

describe('the headers of a request', () => {
  let engine: SimulatedEngine;
  let router: RunningRouter;
  let trusting: RunningRouter;

  beforeAll(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'] });
    router = await startTestRouter([engine]);
    trusting = await startTestRouter(
      [engine],
      ['--trusted-proxies', '127.0.0.0/8,::1', '--root-path', '/llm'],
    );
  });
  afterAll(async () => {
    await Promise.all([router.close(), trusting.close()]);
    await engine.close();
  });

  const lines = async (url: string, given: readonly string[]): Promise<string[]> => {
    const seen = engine.nextRequest();
    expect(await rawExchange(url, post(given))).toMatch(/^HTTP\/1\.1 200 /);
    const { rawHeaders } = await seen;
    return rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${rawHeaders[i + 1]}`] : []));
  };

  it('arrive as they were sent, with the hop taken out and the router put in', async () => {
    const given = [
      'Host: client.example:81',
      'X-CamelCase: kept',
      'authorization: Bearer abc',
      'x-twice: 1',
      'X-Twice: 2',
      'Accept-Encoding: gzip, br',
      'Cookie: a=b; c=d',
      'X-Latin: caf\xe9',
      'X-Empty:',
      'Content-Type: application/json; charset="utf-8"',
      'Connection: close, X-Hop , keep-alive',
      'X-Hop: gone',
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: Basic eDp5',
      'TE: trailers',
      'Trailer: x-sum',
      'X-Forwarded-For: 6.6.6.6',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: evil.example',
      'X-Request-Id: abc-1',
    ];
    expect(await lines(router.url, given)).toEqual([
      `Host: ${new URL(engine.url).host}`,
      'X-CamelCase: kept',
      'authorization: Bearer abc',
      'x-twice: 1',
      'X-Twice: 2',
      'Accept-Encoding: gzip, br',
      'Cookie: a=b; c=d',
      'X-Latin: caf\xe9',
      'X-Empty: ',
      'Content-Type: application/json; charset="utf-8"',
      'X-Forwarded-For: 127.0.0.1',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: client.example:81',
      'X-Request-Id: abc-1',
      `content-length: ${TEXT.length}`,
    ]);
  });

  it('tell of the client what a trusted proxy says of it', async () => {
    const given = [
      'host: inner',
      'connection: close',
      'content-type: application/json',
      'x-forwarded-for: 9.9.9.9, 10.0.0.1',
      'x-forwarded-for: 10.0.0.2',
      'x-forwarded-proto: https',
      'x-forwarded-host: public.example',
    ];
    const seen = await lines(trusting.url, given);
    expect(seen).toContain('X-Forwarded-For: 9.9.9.9, 10.0.0.1, 10.0.0.2, 127.0.0.1');
    expect(seen).toContain('X-Forwarded-Proto: https');
    expect(seen).toContain('X-Forwarded-Host: public.example');
  });

  it('lose their root path on the way', async () => {
    for (const [target, path] of [
      [`/llm${PATH}?x=1`, `${PATH}?x=1`],
      [PATH, PATH],
      ['/llmx/y?model=tiny', '/llmx/y?model=tiny'],
    ] as const) {
      const seen = engine.nextRequest();
      await ask(trusting.url + target, { body: chat() });
      expect((await seen).path).toBe(path);
    }
    expect((await ask(`${trusting.url}/llm/health`)).status).toBe(200);
    expect(jsonOf(await ask(`${trusting.url}/llm/v1/models`))).toMatchObject({ object: 'list' });
  });

  it('carry a request id that is honoured, cleaned or made, sent on and returned', async () => {
    const made = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    for (const [given, id] of [
      ['mine_1.a:b/c+d=e@f-g', 'mine_1.a:b/c+d=e@f-g'],
      ['a b"c"<d>\xe9', 'abcd'],
      ['x'.repeat(200), 'x'.repeat(128)],
      ['"<>"', made],
      ['', made],
    ] as const) {
      const seen = engine.nextRequest();
      const answer = await ask(router.url + PATH, { body: chat(), headers: { 'x-request-id': given } });
      expect(answer.headers['x-request-id']).toEqual(typeof id === 'string' ? id : expect.stringMatching(id));
      expect((await seen).headers['x-request-id']).toBe(answer.headers['x-request-id']);
    }
    const seen = engine.nextRequest();
    const raw = await rawExchange(
      router.url,
      post(['host: r', 'connection: close', 'x-request-id: a b\xe9', 'x-request-id: c']),
    );
    expect(raw).toMatch(/\r\nx-request-id: ab\r\n/);
    expect((await seen).headers['x-request-id']).toBe('ab');
  });

  it('may ask for 100 Continue, which is not passed on', async () => {
    const socket = await openSocket(router.url);
    const head = `POST ${PATH} HTTP/1.1\r\nhost: r\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-type: application/json\r\ncontent-length: ${TEXT.length}\r\n\r\n`;
    socket.write(head);
    expect(await readUntil(socket, '\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    const seen = engine.nextRequest();
    socket.write(TEXT);
    expect(await readToClose(socket)).toMatch(/^HTTP\/1\.1 200 /);
    expect((await seen).headers['expect']).toBeUndefined();
  });
});

describe('the headers of an answer', () => {
  let engine: SimulatedEngine;
  let plain: RunningRouter;
  let cors: RunningRouter;

  beforeAll(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'] });
    plain = await startTestRouter([engine]);
    cors = await startTestRouter(
      [engine],
      ['--allowed-origins', 'https://app.example,http://localhost:3000'],
    );
  });
  afterEach(() => engine.setFault(null));
  afterAll(async () => {
    await Promise.all([plain.close(), cors.close()]);
    await engine.close();
  });

  const answerOf = async (
    headers: readonly (readonly [string, string])[],
    url = plain.url,
    origin?: string,
  ): Promise<string[]> => {
    await engine.setFault({ answer: { headers, bodyBytes: '{}' } });
    const asking = {
      body: chat(),
      headers: { 'x-request-id': 'mine', ...(origin === undefined ? {} : { origin }) },
    };
    const { rawHeaders } = await ask(url + PATH, asking);
    return rawHeaders.flatMap((name, i) =>
      i % 2 === 0 && !/^date$/i.test(name) ? [`${name}: ${rawHeaders[i + 1]}`] : [],
    );
  };

  it('arrive as they were sent, with the hop taken out', async () => {
    const given: [string, string][] = [
      ['Content-Type', 'application/json'],
      ['Set-Cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['X-CamelCase', 'kept'],
      ['Connection', 'X-Hop'],
      ['X-Hop', 'gone'],
      ['Keep-Alive', 'timeout=9'],
      ['Proxy-Authenticate', 'Basic'],
      ['X-Request-Id', 'theirs'],
      ['access-control-allow-origin', '*'],
      ['WWW-Authenticate', 'Bearer'],
      ['X-Latin', 'caf\xe9'],
    ];
    expect(await answerOf(given)).toEqual([
      'server: uvicorn',
      'content-length: 2',
      'Content-Type: application/json',
      'Set-Cookie: a=1',
      'set-cookie: b=2',
      'X-CamelCase: kept',
      'access-control-allow-origin: *',
      'WWW-Authenticate: Bearer',
      'X-Latin: caf\xe9',
      'x-request-id: mine',
      'Connection: close',
    ]);
  });

  it('keep proxies from holding a stream back, unless the engine says otherwise', async () => {
    const stream = await ask(plain.url + PATH, { body: chat({ stream: true }) });
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    });
    const own: [string, string][] = [
      ['content-type', 'text/event-stream'],
      ['Cache-Control', 'no-store'],
      ['X-Accel-Buffering', 'yes'],
    ];
    await engine.setFault({ answer: { headers: own, chunks: ['data: {"choices":[{"text":"a"}]}\n\n'] } });
    const { headers } = await ask(plain.url + PATH, { body: chat({ stream: true }) });
    expect([headers['cache-control'], headers['x-accel-buffering']]).toEqual(['no-store', 'yes']);
    await engine.setFault(null);
    const whole = await ask(plain.url + PATH, { body: chat({ max_tokens: 0 }) });
    expect(whole.headers['x-accel-buffering']).toBeUndefined();
  });

  it('hold no CORS of the router unless origins are given', async () => {
    const preflight = {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    };
    const off = await ask(plain.url + PATH, preflight);
    expect(off.status).toBe(404);
    expect(off.headers['access-control-allow-origin']).toBeUndefined();

    const before = engine.requestCount;
    const on = await ask(cors.url + PATH, {
      method: 'OPTIONS',
      headers: { ...preflight.headers, 'access-control-request-headers': 'authorization, x-mine' },
    });
    expect(on.status).toBe(204);
    expect(on.headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-headers': 'authorization, x-mine',
      'access-control-allow-methods': expect.stringContaining('POST'),
      'access-control-expose-headers': 'x-request-id, x-vllm-router-explain',
      vary: 'Origin',
    });
    const stranger = await ask(cors.url + PATH, {
      ...preflight,
      headers: { ...preflight.headers, origin: 'https://evil.example' },
    });
    expect(stranger.headers['access-control-allow-origin']).toBeUndefined();
    expect(engine.requestCount).toBe(before);
  });

  it('hold the CORS of the router in place of the engine’s, on errors and lists too', async () => {
    const theirs: [string, string][] = [['Access-Control-Allow-Origin', '*']];
    const own = 'access-control-allow-origin: https://app.example';
    const answer = await answerOf(theirs, cors.url, 'https://app.example');
    expect(answer.filter((line) => /^access-control-allow-origin/i.test(line))).toEqual([own]);
    const stranger = await answerOf(theirs, cors.url, 'https://evil.example');
    expect(stranger.filter((line) => /^access-control/i.test(line))).toEqual([]);
    for (const [path, asking] of [
      [PATH, { body: { model: 'nope' } }],
      ['/v1/models', {}],
      ['/v1/models/nope', {}],
    ] as const) {
      const { headers } = await ask(cors.url + path, {
        ...asking,
        headers: { origin: 'https://app.example' },
      });
      expect(headers['access-control-allow-origin']).toBe('https://app.example');
    }
  });

  it('survive an engine whose reason phrase Node could not send', async () => {
    await engine.setFault({ raw: Buffer.from('HTTP/1.1 200 \u20ac\r\ncontent-length: 2\r\n\r\nok') });
    const answer = await ask(plain.url + PATH, { body: chat() });
    expect([answer.status, answer.body.toString()]).toEqual([200, 'ok']);
  });
});
