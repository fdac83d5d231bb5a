import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import { ask, begin, chat, frameReader, framesOf, headOf } from '../support/http-client.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';

const STREAM = { 'content-type': 'text/event-stream; charset=utf-8' };
const delta = (content: string): string =>
  `data: {"choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}}}]}\n\n`;
const ROLE =
  'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n';
const DONE = 'data: [DONE]\n\n';

describe('a stream', () => {
  let engine: SimulatedEngine;
  let router: RunningRouter;

  beforeAll(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'], tokens: 20 });
    router = await startTestRouter([engine]);
  });
  afterEach(() => engine.setFault(null));
  afterAll(async () => {
    await whenNothingIsHeld(router.url);
    await router.close();
    await engine.close();
  });

  const send = (path = '/v1/chat/completions', fields: object = {}) =>
    begin(router.url + path, { body: chat({ stream: true, ...fields }) });

  it('reaches the client frame by frame, the first long before the engine is done', async () => {
    const paced = await startSimulatedEngine({ models: ['tiny'], tokenInterval: 1, tokens: 1_000_000 });
    const own = await startTestRouter([paced]);
    const answer = await headOf(
      begin(`${own.url}/v1/chat/completions`, {
        body: { model: 'tiny', stream: true, messages: [{ role: 'user', content: 'a' }] },
      }),
    );
    const next = frameReader(answer);
    expect(await next()).toContain('"role":"assistant"');
    expect(await next()).toContain('"content":');
    expect(paced.inFlight).toBe(1);
    paced.pause();
    const held = next();
    paced.resume();
    expect(await held).toContain('"content":');
    answer.destroy();
    await paced.whenIdle();
    await own.close();
    await paced.close();
  });

  it('is the same whatever way its chunks are cut', async () => {
    const text = `: keep-alive\n\n${ROLE}${delta('caf\u00e9 \ud83d\ude80')}event: x\r\ndata: {"a":1}\r\n\r\n${delta('b')}${DONE}`;
    const bytes = Buffer.from(text);
    for (const size of [1, 2, 3, 7, 50, bytes.length]) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      await engine.setFault({ answer: { headers: STREAM, chunks } });
      const answer = await headOf(send());
      const parts: Buffer[] = [];
      for await (const part of answer as AsyncIterable<Buffer>) parts.push(part);
      expect(Buffer.concat(parts).toString()).toBe(text);
      // Each chunk that the client gets ends with a frame.
      expect(
        parts.map((part) => part.subarray(-2).toString()).filter((end) => end !== '\n\n' && end !== '\r\n'),
      ).toEqual([]);
    }
  });

  it('may end without a blank line or without [DONE], as the engine wrote it', async () => {
    for (const text of [`${delta('a')}data: {"x"`, delta('a'), `${delta('a')}\n\n\n: bye`]) {
      await engine.setFault({ answer: { headers: STREAM, chunks: [text] } });
      expect(
        (await ask(`${router.url}/v1/chat/completions`, { body: chat({ stream: true }) })).body.toString(),
      ).toBe(text);
    }
  });

  it('waits with comments and the role until there is a token, and then sends them first', async () => {
    const fixed = await startSimulatedEngine({ models: ['tiny'], timeToFirstToken: 0, tokens: 3 });
    const own = await startTestRouter([fixed]);
    fixed.pause();
    await fixed.setFault({ keepAliveComments: 3 });
    const seen = fixed.nextRequest();
    const sent = begin(`${own.url}/v1/chat/completions`, { body: chat({ stream: true }) });
    let headCame = false;
    sent.once('response', () => (headCame = true));
    expect((await seen).status === 200 || (await seen).status === null).toBe(true);
    // Two round trips through the router later the held head would have come.
    await ask(`${own.url}/v1/models`);
    await ask(`${own.url}/v1/models`);
    expect([headCame, fixed.inFlight]).toEqual([false, 1]);
    expect(await metric(own.url, 'vllm:num_prefill_requests')).toBe(1);
    fixed.resume();
    const next = frameReader(await headOf(sent));
    expect([await next(), await next(), await next()]).toEqual([
      ': keep-alive\n\n',
      ': keep-alive\n\n',
      ': keep-alive\n\n',
    ]);
    expect(await next()).toContain('"role":"assistant"');
    expect(await next()).toContain('"content":');
    await own.close();
    await fixed.close();
  });

  it.each([
    ['/v1/messages', 'message_start'],
    ['/v1/responses', 'response.created'],
  ])('of %s waits with what comes before any scheduling', async (path, first) => {
    const held = await startSimulatedEngine({ models: ['tiny'], tokens: 3 });
    const second = await startSimulatedEngine({ models: ['tiny'], tokens: 3 });
    const own = await startTestRouter([held, second]);
    held.pause();
    const seen = held.nextRequest();
    const answers = [1, 2].map(() =>
      ask(own.url + path, {
        body: {
          model: 'tiny',
          stream: true,
          max_tokens: 3,
          input: 'a',
          messages: [{ role: 'user', content: 'a' }],
        },
      }),
    );
    await seen;
    // It dies with its preamble sent: the client never sees a second beginning.
    held.kill();
    for (const answer of await Promise.all(answers)) {
      expect(answer.status).toBe(200);
      const events = framesOf(answer.body).map((frame) => /^event: (\S+)/.exec(frame)?.[1]);
      expect(events.filter((event) => event === first)).toHaveLength(1);
      expect(events.at(-1)).toMatch(/^(message_stop|response\.completed)$/);
    }
    expect(second.requestCount).toBe(2);
    await own.close();
    await Promise.all([held.close(), second.close()]);
  });

  it('of one frame larger than what is held back goes on', async () => {
    await engine.setFault({ hugeAnswer: 3_000_000 });
    const answer = await ask(`${router.url}/v1/chat/completions`, { body: chat({ stream: true }) });
    expect(answer.body.length).toBeGreaterThan(3_000_000);
    expect(framesOf(answer.body).at(-1)).toBe('data: [DONE]');
  });

  it('is counted: the time to its first token, the gaps, and the tokens that the engine told', async () => {
    const body = chat({ stream: true, stream_options: { include_usage: true }, max_tokens: 7 });
    const before = await metric(router.url, 'vllm_router_tokens_total', 'kind="completion"');
    const firsts = await metric(router.url, 'vllm_router_time_to_first_token_seconds_count');
    await ask(`${router.url}/v1/chat/completions`, { body });
    expect(await metric(router.url, 'vllm_router_tokens_total', 'kind="completion"')).toBe(before + 7);
    expect(await metric(router.url, 'vllm_router_time_to_first_token_seconds_count')).toBe(firsts + 1);
  });
});
