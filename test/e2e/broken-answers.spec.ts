import {
  type Fault,
  type SimulatedEngine,
  startSimulatedEngine,
} from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import { ask, chat, framesOf, rawExchange } from '../support/http-client.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';

const BREAKS: readonly [name: string, fault: Fault][] = [
  ['closes between frames', { fin: 'after-frames', frames: 3 }],
  ['closes in the middle of a frame', { fin: 'mid-frame', frames: 3 }],
  ['resets', { reset: 'after-frames', frames: 3 }],
  ['cuts a chunk', { truncated: true, frames: 3 }],
];

describe('an answer that breaks off after it has begun', () => {
  let engines: SimulatedEngine[];
  let router: RunningRouter;

  beforeAll(async () => {
    engines = await Promise.all([1, 2].map(() => startSimulatedEngine({ models: ['tiny'] })));
    router = await startTestRouter(engines);
  });
  afterAll(async () => {
    await whenNothingIsHeld(router.url);
    await router.close();
    await Promise.all(engines.map((engine) => engine.close()));
  });

  const body = {
    model: 'tiny',
    stream: true,
    max_tokens: 9,
    messages: [{ role: 'user', content: 'a b' }],
    input: 'a b',
    prompt: 'a b',
  };
  const broken = async (path: string, fault: Fault): Promise<string[]> => {
    for (const engine of engines) await engine.setFault(fault);
    const sent = engines.reduce((sum, { requestCount }) => sum + requestCount, 0);
    const answer = await ask(router.url + path, { body, headers: { 'x-request-id': 'mine' } });
    expect(answer.status).toBe(200);
    expect(engines.reduce((sum, { requestCount }) => sum + requestCount, 0)).toBe(sent + 1);
    return framesOf(answer.body);
  };

  it.each(BREAKS)(
    'ends a chat stream in an error event and no [DONE] when the engine %s',
    async (_name, fault) => {
      const frames = await broken('/v1/chat/completions', fault);
      expect(frames).toHaveLength(4);
      for (const frame of frames)
        expect(() => JSON.parse(frame.replace(/^data: /, '')) as unknown).not.toThrow();
      expect(JSON.parse(frames[3]!.slice('data: '.length))).toEqual({
        error: {
          message: expect.stringMatching(/broke off before the answer was complete .*\(request mine\)$/),
          type: 'server_error',
          param: null,
          code: 'stream_interrupted',
        },
      });
    },
  );

  it('ends in the shape of each other API', async () => {
    const fault: Fault = { fin: 'mid-frame', frames: 5 };
    const completion = await broken('/v1/completions', fault);
    expect(completion.at(-1)).toMatch(/^data: \{"error":\{/);
    const responses = await broken('/v1/responses', fault);
    expect(responses.at(-1)).toMatch(/^event: error\ndata: \{"type":"error","code":"stream_interrupted",/);
    const messages = await broken('/v1/messages', fault);
    expect(messages.at(-1)).toMatch(
      /^event: error\ndata: \{"type":"error","error":\{"type":"api_error",.*"request_id":"mine"\}$/,
    );
  });

  it.each<[string, Fault, RegExp]>([
    [
      'with a length',
      { answer: { headers: { 'content-type': 'audio/wav', 'content-length': '90' }, bodyBytes: 'half' } },
      /\r\ncontent-length: 90\r\n[\s\S]*\r\n\r\nhalf$/i,
    ],
    [
      'in chunks',
      {
        answer: { headers: { 'content-type': 'audio/wav' }, chunks: ['half', 'rest'] },
        fin: 'after-frames',
        frames: 1,
      },
      /\r\n4\r\nhalf\r\n$/,
    ],
    [
      'of a stream whose length was announced',
      {
        raw:
          'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 900\r\n\r\n' +
          'data: {"choices":[{"text":"a"}]}\n\n',
      },
      /data: \{"choices":\[\{"text":"a"\}\]\}\n\n$/,
    ],
  ])('cuts a body %s by closing the connection', async (_name, fault, end) => {
    for (const engine of engines) {
      await engine.setFault(
        'raw' in fault || 'fin' in fault
          ? fault
          : { raw: 'HTTP/1.1 200 OK\r\ncontent-type: audio/wav\r\ncontent-length: 90\r\n\r\nhalf' },
      );
    }
    const text = JSON.stringify(chat());
    const answer = await rawExchange(
      router.url,
      `POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toMatch(end);
    expect(answer).not.toContain('stream_interrupted');
  });

  it('is counted as failed, and makes its engine suspect', async () => {
    const [first] = engines as [SimulatedEngine];
    expect(await metric(router.url, 'vllm_router_requests_total', 'outcome="failed"')).toBeGreaterThanOrEqual(
      10,
    );
    const state = await metric(
      router.url,
      'vllm_router_engine_state',
      `engine="${first.url}",state="suspect"`,
    );
    expect(state).toBe(1);
    expect(await metric(router.url, 'vllm_router_retries_total')).toBe(0);
  });

  const PATHS = ['/v1/chat/completions', '/v1/completions', '/v1/responses', '/v1/messages'];
  it.each(PATHS.flatMap((path) => BREAKS.map(([name, fault]) => [path, name, fault] as const)))(
    'is never cut bare nor ended by a false [DONE]: %s when the engine %s',
    async (path, _name, fault) => {
      // `ask` resolves for an answer alone whose framing is whole.
      const frames = await broken(path, { ...fault, frames: 5 });
      expect(frames.at(-1)).toContain('broke off before the answer was complete');
      expect(frames.at(-1)).toContain('mine');
      expect(frames.join('\n\n')).not.toContain('[DONE]');
    },
  );
});
