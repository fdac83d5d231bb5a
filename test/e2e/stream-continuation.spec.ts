import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { DecisionRecord } from '../../src/core/decision.js';
import type { RunningRouter } from '../../src/serve.js';
import {
  ask,
  begin,
  frameReader,
  framesOf,
  headOf,
  jsonOf,
  openSocket,
  readUntil,
} from '../support/http-client.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { type Arrival, chunk, chunkedHead, ScriptedEngines, sized } from '../support/scripted-engine.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';
import {
  chatRole,
  chatText,
  completionText,
  DONE,
  parsed,
  textOf,
  usageFrame,
  usageOf,
} from '../unit/core/continuation/frames.js';

const EVENTS = 'text/event-stream; charset=utf-8';
const CHAT = '/v1/chat/completions';
const LAST = '0\r\n\r\n';
const FIRST = { id: 'chatcmpl-first', created: 1, model: 'm' };
const SECOND = { id: 'chatcmpl-second', created: 2, model: 'm' };
const THIRD = { id: 'chatcmpl-third', created: 3, model: 'm' };
const ENGINE_DEAD =
  'data: {"error": {"message": "EngineCore encountered an issue.", "type": "InternalServerError", "param": null, "code": 500}}\n\n';

const bodyFor = (fields: object = {}) => ({
  model: 'm',
  stream: true,
  max_tokens: 6,
  messages: [{ role: 'user', content: 'hello' }],
  ...fields,
});

describe('a stream that breaks off, with --stream-failover continue,', () => {
  let engines: ScriptedEngines;
  let router: RunningRouter;

  beforeAll(async () => {
    engines = await ScriptedEngines.start(3);
    const served = engines.urls.map((url) => ({ url, models: ['m'] }));
    router = await startTestRouter(served, ['--stream-failover', 'continue', '--allow-explain']);
  });
  afterEach(async () => {
    await whenNothingIsHeld(router.url);
    expect(engines.unasked).toBe(0);
  });
  afterAll(async () => {
    await router.close();
    await engines.stop();
  });

  const send = (fields: object = {}, path = CHAT) => {
    const sent = begin(router.url + path, { body: bodyFor(fields), headers: { 'x-request-id': 'mine' } });
    sent.on('error', () => undefined);
    return headOf(sent);
  };
  const wholeOf = async (answer: Promise<IncomingMessage>): Promise<string> =>
    (await buffer(await answer)).toString();
  const jsonFrom = ({ body }: Arrival): Record<string, unknown> =>
    JSON.parse(body.toString()) as Record<string, unknown>;
  const continuations = (outcome: string): Promise<number> =>
    metric(router.url, 'vllm_router_stream_continuations_total', `outcome="${outcome}"`);

  const tokens = (kind: string): Promise<number> =>
    metric(router.url, 'vllm_router_tokens_total', `kind="${kind}"`);

  /** Begins to answer the next request that comes, a chunk for each frame. */
  const opens = async (...frames: readonly string[]): Promise<Arrival> => {
    const arrival = await engines.next();
    arrival.socket.write(Buffer.concat([Buffer.from(chunkedHead(EVENTS)), ...frames.map(chunk)]));
    return arrival;
  };
  /** Answers it whole. */
  const finishes = async (...frames: readonly string[]): Promise<Arrival> => {
    const arrival = await opens(...frames);
    arrival.socket.end(LAST);
    return arrival;
  };
  const expectBroken = (stream: string, text: string): void => {
    const frames = framesOf(stream);
    expect(JSON.parse(frames.at(-1)!.slice('data: '.length))).toMatchObject({
      error: { code: 'stream_interrupted', message: expect.stringContaining('(request mine)') },
    });
    expect(stream).not.toContain('[DONE]');
    expect(textOf(`${frames.slice(0, -1).join('\n\n')}\n\n`)).toBe(text);
  };

  it('goes on at another engine, and the client sees one stream', async () => {
    const before = await continuations('continued');
    const answer = send({ max_completion_tokens: 9, temperature: 0, stop: ['END'] });
    const first = await opens(
      chatRole(FIRST),
      chatText('', null, FIRST),
      chatText(' a', null, FIRST),
      chatText(' b', null, FIRST),
    );
    first.socket.end();
    const second = await finishes(
      chatRole(SECOND),
      chatText(' c', null, SECOND),
      ': keep-alive\n\n',
      chatText(' d', 'length', SECOND),
      DONE,
    );
    expect(second.engine).not.toBe(first.engine);
    expect(second.head).toMatch(/^POST \/v1\/chat\/completions HTTP\/1\.1\r\n/);
    expect(second.head).toMatch(/x-request-id: mine\r\n/i);
    expect(jsonFrom(second)).toEqual(
      bodyFor({
        temperature: 0,
        stop: ['END'],
        messages: [
          { role: 'user', content: 'hello' },
          { role: 'assistant', content: ' a b' },
        ],
        continue_final_message: true,
        add_generation_prompt: false,
        // Two characters are held back, as they could begin END: the third token is not sent whole.
        max_tokens: 4,
        max_completion_tokens: 7,
      }),
    );
    expect(await wholeOf(answer)).toBe(
      chatRole(FIRST) +
        chatText('', null, FIRST) +
        chatText(' a', null, FIRST) +
        chatText(' b', null, FIRST) +
        chatText(' c', null, FIRST) +
        ': keep-alive\n\n' +
        chatText(' d', 'length', FIRST) +
        DONE,
    );
    expect(await continuations('continued')).toBe(before + 1);
  });

  const more = chatText(' more', null, FIRST);
  const [one, two] = [chatText(' a', null, FIRST), chatText(' b', null, FIRST)];
  it.each<[string, (socket: Arrival['socket']) => void, string?]>([
    ['closes in the middle of a frame', (socket) => socket.end(chunk(chatText(' lost').slice(0, 60)))],
    ['cuts a chunk', (socket) => socket.end(chunk(chatText(' lost')).subarray(0, 90))],
    ['resets', (socket) => socket.resetAndDestroy()],
    ['sends what is no chunk', (socket) => socket.write('garbage\r\n')],
    ['ends it by abort', (socket) => socket.write(chunk(chatText(' lost', 'abort') + DONE))],
    ['sends an error', (socket) => socket.write(chunk(ENGINE_DEAD + DONE))],
    ['sends an error behind more text', (socket) => socket.write(chunk(more + ENGINE_DEAD)), more],
  ])('goes on when the engine %s', async (_name, breaks, lost = '') => {
    const sent = send();
    const { socket } = await opens(chatRole(FIRST), one, two);
    const next = frameReader(await sent);
    let stream = '';
    for (let frames = 0; frames < 3; frames++) stream += await next();
    breaks(socket);
    const second = await finishes(chatRole(SECOND), chatText(' c', 'stop', SECOND), DONE);
    expect(jsonFrom(second)).toMatchObject({ messages: [{}, { content: ` a b${textOf(lost)}` }] });
    for (let frame = await next(); frame !== null; frame = await next()) stream += frame;
    expect(stream).toBe(chatRole(FIRST) + one + two + lost + chatText(' c', 'stop', FIRST) + DONE);
    socket.destroy();
  });

  it('goes on when all came in one piece, the abort as well', async () => {
    const answer = send();
    const { socket } = await engines.next();
    const piece = chatRole(FIRST) + one + chatText(' lost', 'abort', FIRST) + DONE;
    socket.write(Buffer.concat([Buffer.from(chunkedHead(EVENTS)), chunk(piece), Buffer.from(LAST)]));
    const second = await finishes(chatRole(SECOND), chatText(' b', 'stop', SECOND), DONE);
    expect(jsonFrom(second)).toMatchObject({ max_tokens: 5, messages: [{}, { content: ' a' }] });
    expect(await wholeOf(answer)).toBe(chatRole(FIRST) + one + chatText(' b', 'stop', FIRST) + DONE);
  });

  it('gives the same text wherever its bytes are cut', async () => {
    const words = [' a', ' é', '\n', ' 😀', ' "d"', ' e'];
    const options = (id: number) => ({ id: `chatcmpl-${id}`, created: id, model: 'm' });
    const streamOf = (from: number, id: number): string =>
      chatRole(options(id)) +
      words
        .slice(from)
        .map((word, i) => chatText(word, from + i === 5 ? 'length' : null, options(id)))
        .join('') +
      DONE;
    const whole = Buffer.from(streamOf(0, 1));
    const committed = Buffer.byteLength(chatRole(options(1)) + chatText(' a', null, options(1)));
    for (let cut = committed; cut < whole.length - DONE.length; cut += 23) {
      const answer = send();
      const first = await engines.next();
      first.socket.write(chunkedHead(EVENTS));
      first.socket.write(chunk(whole.subarray(0, cut)));
      first.socket.end();
      const { body, socket } = await engines.next();
      const { messages } = JSON.parse(body.toString()) as { messages: { content: string }[] };
      const given = messages[1]?.content ?? '';
      // Greedy: what was said decides what comes next.
      let said = 0;
      for (let text = ''; text.length < given.length; said++) text += words[said]!;
      expect(words.slice(0, said).join('')).toBe(given);
      const rest = streamOf(said, 2);
      socket.end(Buffer.concat([Buffer.from(chunkedHead(EVENTS)), chunk(rest), Buffer.from(LAST)]));
      const stream = await wholeOf(answer);
      expect(textOf(stream)).toBe(words.join(''));
      const chunks = parsed(stream) as { id: string; choices: { delta: object }[] }[];
      expect(chunks.at(-1)).toBe('[DONE]');
      expect(new Set(chunks.slice(0, -1).map(({ id }) => id)).size).toBe(1);
      expect(chunks.filter(({ choices }) => choices?.some(({ delta }) => 'role' in delta))).toHaveLength(1);
    }
  });

  it('goes on a second time, at the third engine, and counts tokens of all three', async () => {
    const before = await tokens('completion');
    const answer = send({ stream_options: { include_usage: true } });
    const first = await opens(chatRole(FIRST), one, two);
    first.socket.end();
    const second = await opens(chatRole(SECOND), chatText(' c', null, SECOND));
    second.socket.end();
    const third = await finishes(
      chatRole(THIRD),
      chatText(' d', null, THIRD),
      chatText(' e', 'stop', THIRD),
      usageFrame(10, 2, THIRD),
      DONE,
    );
    expect(new Set([first.engine, second.engine, third.engine]).size).toBe(3);
    expect(jsonFrom(third)).toMatchObject({
      max_tokens: 3,
      messages: [{}, { content: ' a b c' }],
      stream_options: { include_usage: true },
    });
    const stream = await wholeOf(answer);
    expect(await tokens('completion')).toBe(before + 5);
    expect(textOf(stream)).toBe(' a b c d e');
    expect(stream.endsWith(usageFrame(7, 5, FIRST) + DONE)).toBe(true);
  });

  it('goes on with token counts in each chunk', async () => {
    const fields = { stream_options: { include_usage: true, continuous_usage_stats: true } };
    const answer = send(fields);
    const { socket } = await opens(
      chatRole({ ...FIRST, usage: usageOf(7, 0) }),
      chatText(' a b c', null, { ...FIRST, usage: usageOf(7, 3) }),
    );
    socket.end();
    const second = await finishes(
      chatRole({ ...SECOND, usage: usageOf(9, 0) }),
      chatText(' d', 'stop', { ...SECOND, usage: usageOf(9, 1) }),
      usageFrame(9, 1, SECOND),
      DONE,
    );
    expect(jsonFrom(second)).toMatchObject({ max_tokens: 3 });
    const chunks = parsed(await wholeOf(answer)) as { usage: object }[];
    expect(chunks.slice(0, -1).map(({ usage }) => usage)).toEqual([
      usageOf(7, 0),
      usageOf(7, 3),
      usageOf(7, 4),
      usageOf(7, 4),
    ]);
  });

  it('goes on with a completion from its prompt and text', async () => {
    const answer = send({ prompt: 'once', max_tokens: undefined, messages: undefined }, '/v1/completions');
    const { socket } = await opens(completionText(' upon'), completionText(' a '));
    socket.end();
    const second = await finishes(completionText('time', 'stop', { id: 'cmpl-2' }), DONE);
    expect(jsonFrom(second)).toEqual({ model: 'm', stream: true, prompt: 'once upon a ', max_tokens: 14 });
    expect(await wholeOf(answer)).toBe(
      completionText(' upon') + completionText(' a ') + completionText('time', 'stop') + DONE,
    );
  });

  it('tries the engines that are left until one goes on', async () => {
    const answer = send();
    (await opens(chatRole(FIRST), one)).socket.end();
    const second = await engines.next();
    second.socket.end(sized('{"error":{"message":"busy"}}', 'content-type: application/json', '503 Busy'));
    await finishes(chatRole(THIRD), chatText(' b', 'stop', THIRD), DONE);
    expect(textOf(await wholeOf(answer))).toBe(' a b');
  });

  it('ends in an error event when no engine is left', async () => {
    const before = await continuations('no_engine');
    const answer = send();
    (await opens(chatRole(FIRST), one)).socket.end();
    (await opens(chatRole(SECOND), chatText(' b', null, SECOND))).socket.end();
    (await engines.next()).socket.destroy();
    expectBroken(await wholeOf(answer), ' a b');
    expect(await continuations('no_engine')).toBe(before + 1);
  });

  it('ends in an error event when the engines that are left send errors', async () => {
    const answer = send();
    (await opens(chatRole(FIRST), one)).socket.end();
    await finishes(ENGINE_DEAD, DONE);
    await finishes(chatRole(THIRD), ENGINE_DEAD, DONE);
    const stream = await wholeOf(answer);
    expect(textOf(stream.slice(0, stream.indexOf('data: {"error"')))).toBe(' a');
    expect(stream.match(/"error"/g)).toHaveLength(1);
    expect(stream).not.toContain('chatcmpl-third');
    expect(stream).not.toContain('[DONE]');
  });

  it.each<[string, Buffer]>([
    [
      'refuses the request',
      sized('{"error":{"code":400}}', 'content-type: application/json', '400 Bad Request'),
    ],
    ['answers with no stream', sized('{"choices":[]}')],
    [
      'begins to answer something else and does not end it',
      Buffer.concat([Buffer.from(chunkedHead('text/html')), chunk('<p>')]),
    ],
  ])('ends in an error event when the next engine %s', async (_name, bytes) => {
    const before = await continuations('refused');
    const answer = send();
    (await opens(chatRole(FIRST), one)).socket.end();
    (await engines.next()).socket.write(bytes);
    expectBroken(await wholeOf(answer), ' a');
    expect(await continuations('refused')).toBe(before + 1);
  });

  it('ends in an error event when the next engine just stops', async () => {
    const answer = send();
    (await opens(chatRole(FIRST), one)).socket.end();
    await finishes(chatRole(SECOND), chatText(' b', null, SECOND));
    expectBroken(await wholeOf(answer), ' a b');
  });

  it.each<[string, object]>([
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['log probabilities', { logprobs: true }],
    ['several choices', { n: 2 }],
    ['structured output', { response_format: { type: 'json_object' } }],
    ['echo', { echo: true }],
    ['as many tokens as there are', { max_tokens: 1 }],
    ['a stop string that may have begun', { stop: ['ab'] }],
  ])('is not continued with %s', async (_name, fields) => {
    const before = await continuations('not_continuable');
    const answer = send(fields);
    (await opens(chatRole(FIRST), one)).socket.end();
    expectBroken(await wholeOf(answer), ' a');
    expect(await continuations('not_continuable')).toBe(before + 1);
  });

  it.each<[string, string]>([
    ['reasoning', 'data: {"choices":[{"index":0,"delta":{"reasoning":"hm"}}]}\n\n'],
    ['a call of a tool', 'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0}]}}]}\n\n'],
    ['another choice', 'data: {"choices":[{"index":1,"delta":{"content":"x"}}]}\n\n'],
  ])('is not continued behind %s', async (_name, frame) => {
    const answer = send();
    (await opens(chatRole(FIRST), frame, one)).socket.end();
    expect(await wholeOf(answer)).toMatch(/stream_interrupted/);
  });

  it.each(['/v1/responses', '/v1/messages'])('is not continued at %s', async (path) => {
    const answer = send({ input: 'x' }, path);
    const event = 'event: x\ndata: {"type":"content_block_delta"}\n\n';
    (await opens(event)).socket.end();
    const stream = await wholeOf(answer);
    expect(stream.startsWith(event)).toBe(true);
    expect(stream).toMatch(/\nevent: error\ndata: .*stream_interrupted.*mine.*\n\n$/);
  });

  it('is completed when all of it but its end was there', async () => {
    const before = await continuations('completed');
    const end = chatText(' b', 'stop', FIRST);
    const answer = send();
    (await opens(chatRole(FIRST), one, end)).socket.end();
    expect(await wholeOf(answer)).toBe(chatRole(FIRST) + one + end + DONE);
    const closed = send();
    (await opens(chatRole(FIRST), one, end, DONE)).socket.end();
    expect(await wholeOf(closed)).toBe(chatRole(FIRST) + one + end + DONE);
    expect(await continuations('completed')).toBe(before + 2);
  });

  it('asks another engine for the token counts that a whole text lacks', async () => {
    const wanted = { stream_options: { include_usage: true }, max_tokens: 6, stop: ['x'] };
    const end = chatText(' b', 'stop', FIRST);
    const answer = send(wanted);
    (await opens(chatRole(FIRST), one, end)).socket.end();
    // The next one breaks off too, before it has told them.
    const second = await engines.next();
    second.socket.destroy();
    const third = await finishes(
      chatRole(THIRD),
      chatText(' z', 'length', THIRD),
      usageFrame(9, 1, THIRD),
      DONE,
    );
    for (const asked of [second, third]) {
      expect(jsonFrom(asked)).toEqual({ ...bodyFor(wanted), max_tokens: 1, min_tokens: 0 });
    }
    const before = chatRole(FIRST) + one + end;
    const stream = await wholeOf(answer);
    expect(stream.slice(0, before.length)).toBe(before);
    expect(parsed(stream.slice(before.length))).toEqual([
      { ...(parsed(usageFrame(0, 0, FIRST))[0] as object), usage: usageOf(9, 2) },
      '[DONE]',
    ]);
  });

  it('keeps an abort as the engine sent it when it cannot go on', async () => {
    const answer = send({ logprobs: true });
    await finishes(chatRole(FIRST), one, chatText(' b', 'abort', FIRST), DONE);
    expect(await wholeOf(answer)).toBe(chatRole(FIRST) + one + chatText(' b', 'abort', FIRST) + DONE);
  });

  it('begins anew when there was nothing but white space, and does not repeat it', async () => {
    const answer = send();
    (await opens(chatRole(FIRST), chatText('\n', null, FIRST))).socket.end();
    const second = await finishes(
      chatRole(SECOND),
      chatText('\n', null, SECOND),
      chatText('a', 'stop', SECOND),
      DONE,
    );
    expect(jsonFrom(second)).toEqual(bodyFor());
    expect(await wholeOf(answer)).toBe(
      chatRole(FIRST) + chatText('\n', null, FIRST) + chatText('a', 'stop', FIRST) + DONE,
    );
  });

  it('closes the next engine’s socket when the client leaves meanwhile', async () => {
    const sent = send();
    const first = await opens(chatRole(FIRST), one);
    const answer = await sent;
    const next = frameReader(answer);
    await next();
    await next();
    first.socket.end();
    const { socket } = await engines.next();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    answer.destroy();
    await closed;
  });

  it('shows both attempts in its decision', async () => {
    const answer = send();
    const first = await opens(chatRole(FIRST), one);
    first.socket.end();
    const second = await finishes(chatRole(SECOND), chatText(' b', 'stop', SECOND), DONE);
    await wholeOf(answer);
    await until(async () => {
      const shown = await ask(`${router.url}/debug/routing`);
      const [latest] = jsonOf<{ decisions: DecisionRecord[] }>(shown).decisions;
      const attempts = latest?.attempts.map(({ engine, outcome, cause }) => ({ engine, outcome, cause }));
      return (
        JSON.stringify(attempts) ===
        JSON.stringify([
          { engine: engines.urls[first.engine], outcome: 'failed', cause: 'reset' },
          { engine: engines.urls[second.engine], outcome: 'done', cause: null },
        ])
      );
    });
  });
});

describe('a stream that does not break off', () => {
  it('has the same bytes and chunks with --stream-failover continue as without', async () => {
    const engines = await ScriptedEngines.start(1);
    const served = engines.urls.map((url) => ({ url, models: ['m'] }));
    const routers = [
      await startTestRouter(served),
      await startTestRouter(served, ['--stream-failover', 'continue']),
    ];
    const text = JSON.stringify(bodyFor());
    const request =
      `POST ${CHAT} HTTP/1.1\r\nhost: r\r\nx-request-id: mine\r\ncontent-length: ${text.length}\r\n` +
      `content-type: application/json\r\n`;
    const parts = [
      chunk(chatRole(FIRST)),
      chunk(chatText(' a é') + chatText(' b')),
      chunk(': keep-alive\n\n'),
      Buffer.concat([chunk(chatText(' c').slice(0, 50)), chunk(chatText(' c').slice(50))]),
      chunk(chatText(' d', 'stop')),
      chunk(usageFrame(3, 4)),
      chunk(DONE),
    ];
    for (const connection of ['keep-alive', 'close']) {
      const answers: string[] = [];
      for (const { url } of routers) {
        const client = await openSocket(url);
        client.write(`${request}connection: ${connection}\r\n\r\n${text}`);
        const { socket } = await engines.next();
        socket.write(chunkedHead(EVENTS).replace('\r\n\r\n', '\r\ndate: now\r\n\r\n'));
        for (const part of parts) await new Promise((done) => socket.write(part, done));
        socket.end(LAST);
        answers.push(await readUntil(client, LAST));
        client.destroy();
      }
      expect(answers[1]).toBe(answers[0]);
      expect(answers[0]).toContain(chatText(' d', 'stop'));
    }
    await Promise.all(routers.map((router) => router.close()));
    await engines.stop();
  });
});
