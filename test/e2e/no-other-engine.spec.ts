import {
  type Fault,
  type SimulatedEngine,
  startSimulatedEngine,
} from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import { ask, type Answer, chat, errorOf, jsonOf } from '../support/http-client.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';

describe('the only engine', () => {
  let engine: SimulatedEngine;
  let router: RunningRouter;

  beforeAll(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'] });
    router = await startTestRouter([engine]);
  });
  afterEach(() => engine.setFault(null));
  afterAll(async () => {
    await whenNothingIsHeld(router.url);
    await router.close();
    await engine.close();
  });

  const asked = async (
    path: string,
    fault: Fault,
    stream = false,
  ): Promise<[viaRouter: Answer, direct: Answer]> => {
    await engine.setFault(fault);
    const asking = { body: chat({ stream, request_id: 'same' }), headers: { 'x-request-id': 'same' } };
    return [await ask(router.url + path, asking), await ask(engine.url + path, asking)];
  };

  it.each<[string, Fault, boolean]>([
    ['a drained 500', { draining: true }, false],
    ['a drained 500 to a stream', { draining: true }, true],
    ['the 500 of a dead core', { dead: true }, false],
    ['a full queue', { queueFull: true }, false],
    ['a full queue to a stream', { queueFull: true }, true],
    ['an error of an old version', { flatError: true }, false],
    [
      'a 503 with a text for an error',
      { status: 503, body: '{"error":"The model is currently scaling."}' },
      false,
    ],
    ['an abort without tokens', { abort: 'finish-reason' }, false],
    ['an aborted stream', { abort: 'finish-reason' }, true],
    ['a stream of nothing but [DONE]', { abort: 'done-only' }, true],
    ['a stream that begins with an error', { errorEvent: true }, true],
    ['a 400', { status: 400 }, false],
    ['a 422 without a body', { status: 422, body: '' }, false],
    ['a status that nobody knows', { status: 599, body: 'odd' }, false],
  ])('has %s passed on as it is', async (_name, fault, stream) => {
    const [answer, direct] = await asked('/v1/chat/completions', fault, stream);
    expect(answer.status).toBe(direct.status);
    const clock = (text: Buffer): string => text.toString().replace(/"created":\d+/g, '"created":0');
    expect(clock(answer.body)).toBe(clock(direct.body));
    expect(answer.headers['content-type']).toBe(direct.headers['content-type']);
    expect(answer.headers['x-request-id']).toBe('same');
  });

  it.each<[string, Fault]>([
    ['refuses', { refuse: true }],
    ['resets', { reset: 'before-head' }],
    ['closes', { fin: 'before-head' }],
    ['closes after the head', { fin: 'after-head' }],
    ['sends garbage', { garbage: true }],
    ['sends a status that HTTP does not have', { raw: 'HTTP/1.1 099 X\r\ncontent-length: 0\r\n\r\n' }],
    ['switches protocols unasked', { raw: 'HTTP/1.1 101 X\r\nupgrade: a\r\nconnection: upgrade\r\n\r\nabc' }],
    [
      'sends two lengths',
      {
        raw: 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      },
    ],
    ['sends a head without an end', { raw: `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}\r\n\r\n` }],
  ])('that %s gives a 502 in the shape of each API', async (_name, fault) => {
    await engine.setFault(fault);
    const asking = { body: chat(), headers: { 'x-request-id': 'mine' } };
    const [openAi, anthropic] = await Promise.all([
      ask(`${router.url}/v1/chat/completions`, asking),
      ask(`${router.url}/v1/messages`, asking),
    ]);
    expect(openAi.status).toBe(502);
    expect(openAi.headers).toMatchObject({ 'content-type': 'application/json', 'x-request-id': 'mine' });
    expect(errorOf(openAi)).toEqual({
      message: expect.stringMatching(
        /^No engine could answer: attempt 1: (refused|reset|garbage)(; attempt [234]: \1)*\.$/,
      ),
      type: 'server_error',
      param: null,
      code: 'engine_unreachable',
    });
    expect(anthropic.status).toBe(502);
    expect(jsonOf(anthropic)).toEqual({
      type: 'error',
      error: { type: 'api_error', message: expect.any(String), code: 'engine_unreachable' },
      request_id: 'mine',
    });
  });

  it('is asked once more as soon as it is back, although it was ejected', async () => {
    await engine.setFault({ refuse: true });
    expect((await ask(`${router.url}/v1/chat/completions`, { body: chat() })).status).toBe(502);
    await engine.setFault(null);
    expect((await ask(`${router.url}/v1/chat/completions`, { body: chat() })).status).toBe(200);
  });
});

describe('an error that blames the request', () => {
  it('is passed on and not tried on a second engine', async () => {
    const engines = await Promise.all([1, 2].map(() => startSimulatedEngine({ models: ['tiny'] })));
    const router = await startTestRouter(engines);
    for (const fields of [{ max_tokens: 0 }, { messages: [] }, { max_tokens: 0, stream: true }]) {
      expect((await ask(`${router.url}/v1/chat/completions`, { body: chat(fields) })).status).toBe(400);
    }
    for (const engine of engines) await engine.setFault({ status: 429 });
    expect((await ask(`${router.url}/v1/chat/completions`, { body: chat() })).status).toBe(429);
    const blamed =
      'data: {"error": {"message": "too long", "type": "BadRequestError", "param": null, "code": 400}}\n\n';
    const answer = { headers: { 'content-type': 'text/event-stream' }, chunks: [blamed, 'data: [DONE]\n\n'] };
    for (const engine of engines) await engine.setFault({ answer });
    const stream = await ask(`${router.url}/v1/chat/completions`, { body: chat({ stream: true }) });
    expect(stream.body.toString()).toBe(`${blamed}data: [DONE]\n\n`);
    expect(engines.reduce((sum, { requestCount }) => sum + requestCount, 0)).toBe(5);
    expect(await metric(router.url, 'vllm_router_retries_total')).toBe(0);
    await router.close();
    await Promise.all(engines.map((engine) => engine.close()));
  });
});

describe('many engines', () => {
  it('are each met at most once by a request, and named only when asked for', async () => {
    const engines = await Promise.all([1, 2, 3, 4].map(() => startSimulatedEngine({ models: ['tiny'] })));
    const router = await startTestRouter(engines, ['--expose-engine-urls']);
    for (const engine of engines) await engine.setFault({ reset: 'before-head' });
    for (const round of [1, 2]) {
      const answer = await ask(`${router.url}/v1/chat/completions`, { body: chat() });
      expect(answer.status).toBe(502);
      for (const { url } of engines) expect(errorOf(answer).message).toContain(`(${url}): reset`);
      expect(engines.map(({ requestCount }) => requestCount)).toEqual([round, round, round, round]);
    }
    await router.close();
    await Promise.all(engines.map((engine) => engine.close()));
  });

  it('that are ejected are the last resort of a request that got no answer', async () => {
    const engines = await Promise.all([1, 2].map(() => startSimulatedEngine({ models: ['tiny'] })));
    const [first, second] = engines as [SimulatedEngine, SimulatedEngine];
    const router = await startTestRouter(engines);
    const send = async (): Promise<number> =>
      (await ask(`${router.url}/v1/chat/completions`, { body: chat() })).status;
    await first.setFault({ draining: true });
    expect([await send(), await send(), await send(), await send()]).toEqual([200, 200, 200, 200]);
    expect([first.requestCount, second.requestCount]).toEqual([1, 4]);
    expect(await metric(router.url, 'vllm:healthy_pods_total', first.url)).toBe(0);
    await first.setFault(null);
    await second.setFault({ refuse: true });
    expect(await send()).toBe(200);
    expect(first.requestCount).toBe(2);
    // Its answer has shown that it lives; the one that refused is ejected now.
    expect(await metric(router.url, 'vllm:healthy_pods_total', first.url)).toBe(1);
    expect(await metric(router.url, 'vllm:healthy_pods_total', second.url)).toBe(0);
    await router.close();
    await Promise.all(engines.map((engine) => engine.close()));
  });

  it('are spared the retries of answers when most of them fail', async () => {
    const engines = await Promise.all([1, 2].map(() => startSimulatedEngine({ models: ['tiny'] })));
    const router = await startTestRouter(engines, ['--max-ejected-share', '0']);
    for (const engine of engines) await engine.setFault({ status: 500 });
    for (let i = 0; i < 40; i++) {
      expect((await ask(`${router.url}/v1/chat/completions`, { body: chat() })).status).toBe(500);
    }
    // The floor of ten in ten seconds is above a fifth of forty.
    expect(engines.reduce((sum, { requestCount }) => sum + requestCount, 0)).toBe(50);
    await router.close();
    await Promise.all(engines.map((engine) => engine.close()));
  });
});
