import { once } from 'node:events';
import {
  type Fault,
  type SimulatedEngine,
  startSimulatedEngine,
} from '../../../../src/simulator/http/simulated-engine.js';
import {
  ask,
  chatOf,
  collect,
  fetchAnswer,
  framesOf,
  headOf,
  open,
  rawAnswer,
  rawPost,
  readToEnd,
} from './engine-client.js';

const CHAT = '/v1/chat/completions';

describe('faults of the simulated engine', () => {
  let engine: SimulatedEngine;
  beforeEach(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'] });
  });
  afterEach(async () => engine.close(0));

  const chat = (fields: object = {}): string => rawPost(CHAT, chatOf(fields));
  const whole = async (fields: object = {}): Promise<{ status: number; text: string }> => {
    const { status, body } = await fetchAnswer(engine.url + CHAT, { body: chatOf(fields) });
    return { status, text: body.toString() };
  };
  /** What a client sees on a plain socket that sends one chat. */
  const seen = async (fault: Fault, fields: object = {}): Promise<{ text: string; reset: boolean }> => {
    await engine.setFault(fault);
    return rawAnswer(engine.port, chat(fields));
  };

  it('refuses connections until the fault is lifted, on the same port', async () => {
    const { url } = engine;
    await engine.setFault({ refuse: true });
    await expect(whole()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await engine.setFault(null);
    expect(engine.url).toBe(url);
    expect((await whole()).status).toBe(200);
  });

  it.each(['accept', 'request-head', 'before-head'] as const)(
    'closes without a byte at %s',
    async (phase) => {
      expect(await seen({ fin: phase })).toEqual({ text: '', reset: false });
      expect(await seen({ reset: phase })).toEqual({ text: '', reset: true });
    },
  );

  it('closes after the head', async () => {
    const fin = await seen({ fin: 'after-head' }, { stream: true });
    expect(fin.text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n$/);
    expect(fin.reset).toBe(false);
    const reset = await seen({ reset: 'after-head' });
    expect(reset.text).toMatch(/content-length: \d+\r\n[\s\S]*\r\n\r\n$/);
    expect(reset.reset).toBe(true);
  });

  it('closes after a number of frames, with the last one whole', async () => {
    const { text } = await seen({ fin: 'after-frames', frames: 3 }, { stream: true });
    expect(text.match(/data: \{/g)).toHaveLength(3);
    expect(text).toMatch(/\n\n\r\n$/);
    expect(text).not.toContain('[DONE]');
  });

  it('closes in the middle of a frame', async () => {
    const { text, reset } = await seen({ reset: 'mid-frame', frames: 2 }, { stream: true });
    expect(text.match(/data: \{/g)).toHaveLength(3);
    expect(text).not.toMatch(/\n\n\r\n$/);
    expect(reset).toBe(true);
  });

  it('closes in the middle of an answer that is not a stream', async () => {
    const { text } = await seen({ fin: 'mid-frame' });
    const [head = '', body = ''] = text.split('\r\n\r\n');
    const announced = Number(/content-length: (\d+)/.exec(head)?.[1]);
    expect(body.length).toBe(announced >> 1);
  });

  it('hangs with the connection open until the client leaves, and counts that as aborted', async () => {
    await engine.setFault({ hang: 'after-frames', frames: 2 });
    const answer = await headOf(ask(engine.url + CHAT, { body: chatOf({ stream: true }) }));
    const text = await collect(answer, (sofar) => framesOf(sofar).length >= 2);
    expect(engine.inFlight).toBe(1);
    const aborted = engine.once('aborted');
    answer.destroy();
    await aborted;
    expect(engine).toMatchObject({ inFlight: 0, running: 0, aborted: 1 });
    expect(framesOf(text)).toHaveLength(2);
  });

  it('hangs before the head', async () => {
    await engine.setFault({ hang: 'before-head' });
    const sent = ask(engine.url + CHAT, { body: chatOf() });
    sent.on('error', () => {});
    await engine.nextRequest();
    const aborted = engine.once('aborted');
    sent.destroy();
    expect(await aborted).toMatchObject({ finished: 'aborted', status: null });
  });

  it('accepts a connection and leaves it alone', async () => {
    await engine.setFault({ hang: 'accept', times: 1 });
    const socket = await open(engine.port);
    socket.write(chat());
    expect((await whole()).status).toBe(200);
    expect(socket.bytesRead).toBe(0);
    expect(engine.requestCount).toBe(1);
    socket.destroy();
  });

  it('answers with bytes that are no HTTP', async () => {
    expect((await seen({ garbage: true })).text).toBe('220 this is not HTTP\r\n\r\n');
    expect((await seen({ raw: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx' })).text).toMatch(/x$/);
  });

  it('announces a chunk and sends half of it', async () => {
    const { text } = await seen({ truncated: true, frames: 1 }, { stream: true });
    expect(text.match(/data: \{/g)).toHaveLength(2);
    const [size = '', rest = ''] = text
      .slice(text.lastIndexOf('\r\n', text.lastIndexOf('data: ') - 3))
      .trim()
      .split('\r\n');
    expect(rest.length).toBeLessThan(parseInt(size, 16));
    await expect(fetchAnswer(engine.url + CHAT, { body: chatOf() })).rejects.toMatchObject({
      code: 'ECONNRESET',
    });
  });

  it.each([7, -7])('announces a content-length that is wrong by %d', async (wrongLength) => {
    const { text } = await seen({ wrongLength });
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(Number(/content-length: (\d+)/.exec(head)?.[1]) - body.length).toBe(wrongLength);
  });

  it('closes a kept-alive connection as the second request comes on it', async () => {
    await engine.setFault({ staleSocket: 'fin' });
    const socket = await open(engine.port);
    socket.write(chat());
    await once(socket, 'data');
    const rest = readToEnd(socket);
    socket.write(chat());
    expect(await rest).toMatchObject({ text: '' });
    expect(engine.requests.map(({ finished, connection }) => [finished, connection])).toEqual([
      ['done', 1],
      ['faulted', 1],
    ]);
  });

  it('sends an error event first or after frames, and [DONE] all the same', async () => {
    await engine.setFault({ errorEvent: true });
    const first = framesOf((await whole({ stream: true })).text);
    expect(first).toEqual([
      'data: {"error": {"message": "EngineCore encountered an issue. See stack trace (above) for the root cause.", ' +
        '"type": "InternalServerError", "param": null, "code": 500}}',
      'data: [DONE]',
    ]);
    expect((await whole()).status).toBe(500);
    await engine.setFault({ errorEvent: true, frames: 2 });
    const later = framesOf((await whole({ stream: true })).text);
    expect(later).toHaveLength(4);
    expect(later[2]).toMatch(/^data: \{"error": /);
  });

  it.each([
    [
      { draining: true },
      500,
      { error: { message: 'cannot schedule new futures after shutdown', code: 500 } },
    ],
    [{ dead: true }, 500, { error: { type: 'InternalServerError' } }],
    [{ queueFull: true }, 503, { error: { type: 'Service Unavailable', code: 503 } }],
    [{ status: 502, body: '{"gateway":"bad"}' }, 502, { gateway: 'bad' }],
    [{ status: 429 }, 429, { error: { code: 429 } }],
    [{ flatError: true }, 500, { object: 'error', code: 500 }],
  ] as const)('answers as told: %j', async (fault, status, body) => {
    await engine.setFault(fault);
    const answer = await whole({ stream: true });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject(body);
  });

  it('leaves probes alone, unless told otherwise', async () => {
    await engine.setFault({ status: 500 });
    expect((await fetchAnswer(`${engine.url}/v1/models`)).status).toBe(200);
    await engine.setFault({ status: 500, on: 'all' });
    expect((await fetchAnswer(`${engine.url}/v1/models`)).status).toBe(500);
    await engine.setFault({ status: 500, on: '/health' });
    expect((await fetchAnswer(`${engine.url}/health`)).status).toBe(500);
    expect((await whole()).status).toBe(200);
    await engine.setFault({ dead: true });
    expect((await fetchAnswer(`${engine.url}/health`)).status).toBe(503);
  });

  it('answers 200 without a token', async () => {
    await engine.setFault({ abort: 'finish-reason' });
    expect(JSON.parse((await whole()).text)).toMatchObject({
      choices: [{ message: { content: '' }, finish_reason: 'abort' }],
      usage: { completion_tokens: 0 },
    });
    const frames = framesOf((await whole({ stream: true })).text);
    expect(frames).toHaveLength(3);
    expect(frames[1]).toContain('"finish_reason":"abort"');
    await engine.setFault({ abort: 'done-only' });
    expect(framesOf((await whole({ stream: true })).text)).toEqual(['data: [DONE]']);
  });

  it('sends keep-alive comments before the first token', async () => {
    await engine.setFault({ keepAliveComments: 2 });
    const frames = framesOf((await whole({ stream: true })).text);
    expect(frames.slice(0, 2)).toEqual([': keep-alive', ': keep-alive']);
    expect(frames[2]).toContain('"role":"assistant"');
  });

  it('sends a huge answer', async () => {
    await engine.setFault({ hugeAnswer: 2_000_000 });
    expect((await whole()).text.length).toBeGreaterThan(2_000_000);
    expect((await whole({ stream: true })).text.length).toBeGreaterThan(2_000_000);
  });

  it('waits before the head', async () => {
    await engine.setFault({ slowHead: 60_000 });
    const sent = ask(engine.url + CHAT, { body: chatOf() });
    sent.on('error', () => {});
    expect(await engine.nextRequest()).toMatchObject({ status: null, finished: 'open' });
    sent.destroy();
    await engine.whenIdle();
    await engine.setFault({ slowHead: 5 });
    expect((await whole()).status).toBe(200);
  });

  it('gives a fixed answer byte for byte, whole or in chunks', async () => {
    const bodyBytes = Buffer.from([0, 255, 13, 10, 0xc3, 0x28]);
    const headers = [
      ['X-Odd', 'a'],
      ['X-Odd', 'b'],
    ] as const;
    await engine.setFault({ answer: { status: 299, headers, bodyBytes } });
    const fixed = await fetchAnswer(engine.url + CHAT, { body: chatOf() });
    expect(fixed.status).toBe(299);
    expect(fixed.body).toEqual(bodyBytes);
    expect(fixed.rawHeaders.filter((name) => name === 'X-Odd')).toHaveLength(2);
    await engine.setFault({ answer: { chunks: ['data: a', Buffer.from('\n\ndata: b\n\n')] } });
    const { text } = await rawAnswer(engine.port, chat().replace('host: x', 'host: x\r\nconnection: close'));
    expect(text).toMatch(/\r\n\r\n7\r\ndata: a\r\nb\r\n\n\ndata: b\n\n\r\n0\r\n\r\n$/);
  });

  it('returns the body of the request', async () => {
    await engine.setFault({ echo: true });
    const body = `{ "a": 1, "a": 12345678901234567890, "ü": "${'x'.repeat(5_000_000)}" }`;
    const answer = await fetchAnswer(engine.url + CHAT, { headers: { 'content-type': 'a/b' }, body });
    expect(answer.headers['content-type']).toBe('a/b');
    expect(answer.body.equals(Buffer.from(body))).toBe(true);
  });

  it('meets as many requests as told', async () => {
    await engine.setFault({ status: 503, times: 2 });
    const statuses: number[] = [];
    for (let count = 0; count < 3; count += 1) statuses.push((await whole()).status);
    expect(statuses).toEqual([503, 503, 200]);
  });

  it('takes the fault of one request from its header, and of all from its control route', async () => {
    const headers = { 'x-sim-fault': '{"status":418}' };
    expect((await fetchAnswer(engine.url + CHAT, { headers, body: chatOf() })).status).toBe(418);
    expect((await whole()).status).toBe(200);
    expect((await fetchAnswer(`${engine.url}/sim/fault`, { body: { status: 419 } })).status).toBe(200);
    expect((await whole()).status).toBe(419);
    await fetchAnswer(`${engine.url}/sim/fault`, { body: 'null' });
    expect((await whole()).status).toBe(200);
  });

  it('refuses a fault it does not know', async () => {
    await expect(engine.setFault({ fin: 'later' } as unknown as Fault)).rejects.toThrow(/fault field fin/);
    const unknown = await fetchAnswer(`${engine.url}/sim/fault`, { body: { explode: true } });
    expect(unknown.status).toBe(400);
    expect(unknown.body.toString()).toContain('no field');
    const headers = { 'x-sim-fault': 'not json' };
    expect((await fetchAnswer(engine.url + CHAT, { headers, body: chatOf() })).status).toBe(400);
  });
});
