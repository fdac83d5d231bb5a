import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import {
  type SimulatedEngine,
  startSimulatedEngine,
} from '../../../../src/simulator/http/simulated-engine.js';
import type { SimulatedEngineOptions } from '../../../../src/simulator/http/simulated-engine.js';
import {
  ask,
  chatOf,
  collect,
  fetchAnswer,
  framesOf,
  headOf,
  open,
  rawPost,
  readToEnd,
} from './engine-client.js';

const CHAT = '/v1/chat/completions';
/** Longer than any test: what waits for this never ends by itself. */
const NEVER_MS = 600_000;

describe('the simulated engine', () => {
  const engines: SimulatedEngine[] = [];
  const start = async (options: SimulatedEngineOptions = {}): Promise<SimulatedEngine> => {
    const engine = await startSimulatedEngine({ models: ['tiny'], ...options });
    engines.push(engine);
    return engine;
  };
  afterEach(async () => {
    await Promise.all(engines.splice(0).map(async (engine) => engine.close(0)));
  });
  const stream = async (engine: SimulatedEngine, fields: object = {}): Promise<IncomingMessage> =>
    headOf(ask(engine.url + CHAT, { body: chatOf({ stream: true, ...fields }) }));
  const contentOf = async (engine: SimulatedEngine, content: string): Promise<string> => {
    const body = chatOf({ messages: [{ role: 'user', content }] });
    return (
      (await fetchAnswer(engine.url + CHAT, { body })).body.toString().match(/"content":"([^"]*)"/)?.[1] ?? ''
    );
  };

  it('gives the same text for the same prompt on every engine, and another for another prompt', async () => {
    const [first, second] = [await start(), await start()];
    expect(await contentOf(first, 'a b')).toBe(await contentOf(second, 'a b'));
    expect(await contentOf(first, 'a b')).not.toBe(await contentOf(first, 'a c'));
  });

  it.each(['/v1/chat/completions', '/v1/completions'])(
    'goes on at %s as it would have when the beginning of its answer is part of the prompt',
    async (path) => {
      const [first, second] = [await start(), await start()];
      interface Told {
        readonly choices: readonly {
          readonly message?: { readonly content: string };
          readonly text?: string;
        }[];
        readonly usage: { readonly prompt_tokens: number };
      }
      const chats = path === CHAT;
      const told = async (engine: SimulatedEngine, fields: object) => {
        const answer = await fetchAnswer(engine.url + path, { body: { model: 'tiny', ...fields } });
        const { choices, usage } = JSON.parse(answer.body.toString()) as Told;
        return { text: choices[0]?.message?.content ?? choices[0]?.text ?? '', prompt: usage.prompt_tokens };
      };
      const messages = [{ role: 'user', content: 'a b' }];
      const question = chats ? { messages } : { prompt: 'a b' };
      const whole = await told(first, { ...question, max_tokens: 9 });
      const begin = whole.text.split(' ').slice(0, 5).join(' ');
      const begun = chats
        ? {
            messages: [...messages, { role: 'assistant', content: begin }],
            continue_final_message: true,
            add_generation_prompt: false,
          }
        : { prompt: `a b${begin}` };
      const rest = await told(second, { ...begun, max_tokens: 5 });
      expect(begin + rest.text).toBe(whole.text);
      expect(rest.prompt).toBe(whole.prompt + 4);
    },
  );

  it('does not both begin an answer and go on with one', async () => {
    const body = chatOf({ continue_final_message: true });
    const answer = await fetchAnswer((await start()).url + CHAT, { body });
    expect(answer.body.toString()).toContain(
      'continue_final_message and add_generation_prompt are not compatible',
    );
  });

  it('streams one token in each HTTP chunk', async () => {
    const engine = await start();
    const socket = await open(engine.port);
    socket.write(rawPost(CHAT, chatOf({ stream: true })).replace('host: x', 'host: x\r\nconnection: close'));
    const { text } = await readToEnd(socket);
    const chunks = text
      .slice(text.indexOf('\r\n\r\n') + 4)
      .split(/\r?\n?[\da-f]+\r\n/)
      .filter((chunk) => chunk.includes('data'));
    expect(chunks).toHaveLength(6);
    for (const chunk of chunks) expect(chunk).toMatch(/^data: [^\n]+\n\n/);
  });

  it('sends the head of a stream before it is scheduled', async () => {
    const engine = await start({ maxConcurrent: 1, timeToFirstToken: NEVER_MS });
    const first = await stream(engine);
    const second = await stream(engine);
    expect(second.statusCode).toBe(200);
    expect(engine).toMatchObject({ running: 1, waiting: 1, inFlight: 2 });
    const metrics = (await fetchAnswer(`${engine.url}/metrics`)).body.toString();
    expect(metrics).toContain('vllm:num_requests_running{engine="0",model_name="tiny"} 1.0\n');
    expect(metrics).toContain('vllm:num_requests_waiting{engine="0",model_name="tiny"} 1.0\n');
    const left = engine.once('aborted');
    first.destroy();
    await left;
    expect(engine).toMatchObject({ running: 1, waiting: 0, inFlight: 1 });
    second.destroy();
    await engine.whenIdle();
  });

  it('drops a request as soon as its client leaves, streamed or not', async () => {
    const engine = await start({ tokenInterval: NEVER_MS });
    const answer = await stream(engine);
    const whole = ask(engine.url + CHAT, { body: chatOf() });
    whole.on('error', () => {});
    await engine.nextRequest();
    expect(engine.inFlight).toBe(2);
    whole.destroy();
    answer.destroy();
    await engine.whenIdle();
    expect(engine).toMatchObject({ aborted: 2, running: 0, requestCount: 2 });
    expect(engine.requests.map(({ finished }) => finished)).toEqual(['aborted', 'aborted']);
  });

  it('takes a client that closes its sending side for one that has left', async () => {
    const engine = await start({ tokenInterval: NEVER_MS });
    const socket = await open(engine.port);
    socket.write(rawPost(CHAT, chatOf({ stream: true })));
    await once(socket, 'data');
    const aborted = engine.once('aborted');
    socket.end();
    await aborted;
    expect(engine.running).toBe(0);
  });

  it('closes an idle connection with a FIN and never announces when', async () => {
    const engine = await start({ keepAliveMs: 30 });
    const socket = await open(engine.port);
    socket.write('GET /version HTTP/1.1\r\nhost: x\r\n\r\n');
    const { text, reset } = await readToEnd(socket);
    expect(text).toContain('{"version":"0.32.0"}');
    expect(text.toLowerCase()).not.toMatch(/keep-alive|connection:/);
    expect(reset).toBe(false);
  });

  it('serves many requests on one connection', async () => {
    const engine = await start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let count = 0; count < 3; count += 1) {
      const sent = request(`${engine.url}/version`, { agent });
      sent.end();
      (await headOf(sent)).resume();
    }
    agent.destroy();
    expect(engine.connectionCount).toBe(1);
  });

  it('wakes up a stream whose reader was slow', async () => {
    const engine = await start();
    const answer = await stream(engine, { max_tokens: 60_000 });
    answer.pause();
    // Gives the engine turns in which to fill the buffers of both sockets: 6 MB.
    for (let turn = 0; turn < 1_000; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(engine.inFlight).toBe(1);
    let text = '';
    answer.setEncoding('utf8').on('data', (part: string) => (text += part));
    answer.resume();
    await once(answer, 'end');
    expect(framesOf(text)).toHaveLength(60_002);
  });

  it('freezes while paused', async () => {
    const engine = await start();
    engine.pause();
    const answer = await stream(engine);
    expect(engine).toMatchObject({ running: 0, waiting: 1 });
    engine.resume();
    answer.resume();
    await once(answer, 'end');
    await engine.whenIdle();
    expect(engine.requests[0]?.finished).toBe('done');
  });

  it('remembers what it was asked, with the hash of the body', async () => {
    const engine = await start({ remember: 2 });
    const large = `{"model":"tiny","messages":[{"role":"user","content":"${'x '.repeat(3_000_000)}"}],"max_tokens":2}`;
    const headers = { 'content-type': 'application/json', 'X-Mixed-Case': 'v' };
    const answer = await fetchAnswer(`${engine.url}${CHAT}?a=%20b`, { headers, body: large });
    expect(JSON.parse(answer.body.toString())).toMatchObject({ usage: { completion_tokens: 2 } });
    const [seen] = engine.requests;
    expect(seen).toMatchObject({
      method: 'POST',
      path: `${CHAT}?a=%20b`,
      sha256: createHash('sha256').update(large).digest('hex'),
      bodyLength: large.length,
      body: null,
      status: 200,
    });
    expect(seen?.rawHeaders).toContain('X-Mixed-Case');
    for (let count = 0; count < 6; count += 1) await fetchAnswer(engine.url + CHAT, { body: chatOf() });
    expect(engine.requests).toHaveLength(2);
    expect(engine.requestCount).toBe(7);
    expect(JSON.parse(engine.requests[1]?.body ?? '')).toEqual(chatOf());
  });

  it('keeps probes apart from requests', async () => {
    const engine = await start();
    await fetchAnswer(`${engine.url}/v1/models`);
    await fetchAnswer(`${engine.url}/metrics`);
    expect(engine.requestCount).toBe(0);
    expect(engine.probes.map(({ path }) => path)).toEqual(['/v1/models', '/metrics']);
  });

  it('serves the models it is given at run time', async () => {
    const engine = await start();
    const body = chatOf({ model: 'late' });
    expect((await fetchAnswer(engine.url + CHAT, { body })).status).toBe(404);
    engine.models = ['tiny', { id: 'late', parent: 'tiny' }];
    const answer = JSON.parse((await fetchAnswer(engine.url + CHAT, { body })).body.toString()) as object;
    expect(answer).toMatchObject({ model: 'late' });
    await fetchAnswer(`${engine.url}/sim/models`, { body: ['other'] });
    expect(engine.models).toEqual([{ id: 'other' }]);
  });

  it('wants the key on /v1 and nowhere else', async () => {
    const engine = await start({ apiKey: 'secret' });
    const refused = await fetchAnswer(engine.url + CHAT, { body: 'not json' });
    expect([refused.status, refused.body.toString()]).toEqual([401, '{"error":"Unauthorized"}']);
    const headers = { authorization: 'Bearer secret' };
    expect((await fetchAnswer(engine.url + CHAT, { headers, body: chatOf() })).status).toBe(200);
    expect((await fetchAnswer(`${engine.url}/metrics`)).status).toBe(200);
  });

  it('counts tokens and prefix cache hits', async () => {
    const engine = await start();
    const content = 'w '.repeat(70);
    for (let count = 0; count < 2; count += 1) await contentOf(engine, content);
    const metrics = (await fetchAnswer(`${engine.url}/metrics`)).body.toString();
    const value = (name: string): number =>
      Number(new RegExp(`^vllm:${name}\\{[^}]*\\} (.*)$`, 'm').exec(metrics)?.[1]);
    expect(value('prompt_tokens_total')).toBe(144);
    expect(value('generation_tokens_total')).toBe(8);
    expect(value('prefix_cache_queries_total')).toBe(144);
    expect(value('prefix_cache_hits_total')).toBe(64);
    expect(metrics).toContain(
      'request_success_total{engine="0",finished_reason="length",model_name="tiny"} 2.0',
    );
  });

  it.each([
    [
      '/v1/embeddings',
      { input: ['a', 'b'] },
      { object: 'list', data: [{ object: 'embedding' }, { index: 1 }] },
    ],
    ['/v1/score', { text_1: 'a', text_2: ['b'] }, { data: [{ object: 'score' }] }],
    ['/v1/rerank', { query: 'a', documents: ['b', 'c'] }, { results: [{}, {}] }],
    ['/pooling', { input: 'a' }, { data: [{ object: 'pooling' }] }],
    ['/classify', { input: 'a' }, { data: [{ label: 'LABEL_0' }] }],
  ])('answers %s', async (path, body, expected) => {
    const engine = await start();
    const answer = await fetchAnswer(engine.url + path, { body: { model: 'tiny', ...body } });
    expect(JSON.parse(answer.body.toString())).toMatchObject(expected);
    expect((await fetchAnswer(engine.url + path, { body: { model: 'no', ...body } })).status).toBe(404);
  });

  it('reads the model of a transcription from its form', async () => {
    const engine = await start();
    const form = (model: string): string =>
      `--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n` +
      `--x\r\nContent-Disposition: form-data; name="model"\r\n\r\n${model}\r\n--x--\r\n`;
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    const url = `${engine.url}/v1/audio/transcriptions`;
    const answer = await fetchAnswer(url, { headers, body: form('tiny') });
    expect(JSON.parse(answer.body.toString())).toMatchObject({ usage: { type: 'duration' } });
    expect((await fetchAnswer(url, { headers, body: form('no') })).status).toBe(404);
  });

  it('returns the messages of a WebSocket', async () => {
    const engine = await start();
    const socket = await open(engine.port);
    socket.write(
      'GET /v1/realtime?model=tiny HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n' +
        'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const text = await collect(socket, (sofar) => sofar.includes('session.created'));
    expect(text).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    const mask = [1, 2, 3, 4];
    const payload = [...Buffer.from('hello')].map((byte, index) => byte ^ (mask[index % 4] ?? 0));
    socket.write(Buffer.from([0x81, 0x80 | 5, ...mask, ...payload]));
    expect(await collect(socket, (sofar) => sofar.length >= 7)).toMatch(/hello$/);
    socket.destroy();
  });

  it('dies like a killed process: a FIN in the middle, then refusal', async () => {
    const engine = await start({ tokenInterval: NEVER_MS });
    const socket = await open(engine.port);
    socket.write(rawPost(CHAT, chatOf({ stream: true })));
    await once(socket, 'data');
    const rest = readToEnd(socket);
    engine.kill();
    expect((await rest).reset).toBe(false);
    await expect(fetchAnswer(`${engine.url}/health`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(engine.requests[0]?.finished).toBe('killed');
  });

  it('falls silent like a terminated one: refusal, idle connections closed, streams left hanging', async () => {
    const engine = await start({ timeToFirstToken: NEVER_MS });
    const idle = await open(engine.port);
    idle.write('GET /version HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(idle, 'data');
    const idleEnd = readToEnd(idle);
    const answer = await stream(engine);
    const late = await open(engine.port);
    while (engine.connectionCount < 3) await new Promise((resolve) => setImmediate(resolve));
    engine.hangSilently();
    await idleEnd;
    late.write(rawPost(CHAT, chatOf()));
    expect((await readToEnd(late)).text).toContain('cannot schedule new futures after shutdown');
    await expect(fetchAnswer(`${engine.url}/health`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(engine.inFlight).toBe(1);
    expect(answer.readableLength).toBe(0);
    expect(answer.destroyed).toBe(false);
    answer.destroy();
    await engine.whenIdle();
  });

  it('lets what is in flight end when it closes', async () => {
    const engine = await start({ tokenInterval: 5 });
    const answer = await stream(engine);
    const closed = engine.close();
    answer.resume();
    await once(answer, 'end');
    await closed;
    expect(engine.requests[0]?.finished).toBe('done');
  });
});
