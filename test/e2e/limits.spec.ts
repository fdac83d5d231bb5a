import { setTimeout as pause } from 'node:timers/promises';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import {
  ask,
  begin,
  chat,
  errorOf,
  headOf,
  openSocket,
  rawExchange,
  readToClose,
  readUntil,
} from '../support/http-client.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

const PATH = '/v1/chat/completions';
const head = (...lines: string[]): string =>
  [`POST ${PATH} HTTP/1.1`, 'host: r', ...lines, '', ''].join('\r\n');
/** The JSON body of an answer as it came over the wire. */
const errorIn = (text: string): ReturnType<typeof errorOf> =>
  errorOf({ body: Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4)) });

describe('a limit', () => {
  let engine: SimulatedEngine;
  let routers: RunningRouter[] = [];

  beforeAll(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'] });
  });
  afterEach(async () => {
    for (const { url } of routers) await whenNothingIsHeld(url);
    await Promise.all(routers.map((router) => router.close()));
    routers = [];
  });
  afterAll(() => engine.close());

  const start = async (...flags: string[]): Promise<string> => {
    const router = await startTestRouter([engine], flags);
    routers.push(router);
    return router.url;
  };

  describe('on the size of a body', () => {
    it('is told before the body is sent to a client that waits for 100 Continue', async () => {
      const url = await start('--max-body-size', '1000');
      const socket = await openSocket(url);
      socket.write(head('expect: 100-continue', 'content-length: 1001', 'x-request-id: mine'));
      const answer = await readUntil(socket, '}}');
      socket.destroy();
      expect(answer).toMatch(/^HTTP\/1\.1 413 Payload Too Large\r\n/);
      expect(answer).toMatch(/\r\nx-request-id: mine\r\n/);
      expect(errorIn(answer).code).toBe('request_too_large');
    });

    it('is told to a client that is still sending, which can read the answer', async () => {
      const url = await start('--max-body-size', '100000');
      for (const length of ['content-length: 30000000', 'transfer-encoding: chunked']) {
        const socket = await openSocket(url);
        socket.write(head(length));
        const part = 'x'.repeat(30_000);
        for (let i = 0; i < 1_000; i++) {
          const framed = length.startsWith('content') ? part : `${part.length.toString(16)}\r\n${part}\r\n`;
          // A piece that is not taken fails here, and with it a client that reads only when it has sent all.
          await new Promise<void>((resolve, reject) =>
            socket.write(framed, (error) => (error ? reject(error) : resolve())),
          );
        }
        if (length.startsWith('transfer')) socket.write('0\r\n\r\n');
        const answer = await readToClose(socket);
        expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*\r\nconnection: close\r\n/i);
        expect(errorIn(answer).message).toBe('Request body is larger than 100000 bytes (--max-body-size).');
      }
      const anthropic = await ask(`${url}/v1/messages`, { body: Buffer.alloc(100_001) });
      expect(JSON.parse(anthropic.body.toString())).toMatchObject({
        type: 'error',
        error: { type: 'request_too_large' },
      });
    });

    it('lets a body through that just meets it', async () => {
      const text = JSON.stringify(chat());
      const url = await start('--max-body-size', String(text.length));
      const headers = { 'content-type': 'application/json' };
      expect((await ask(url + PATH, { body: text, headers })).status).toBe(200);
      expect((await ask(url + PATH, { body: `${text} `, headers })).status).toBe(413);
    });
  });

  it('on the bytes of all bodies answers 503 until there is room', async () => {
    const url = await start('--max-body-memory', '100000');
    const socket = await openSocket(url);
    socket.write(`${head('content-length: 90000')}${'x'.repeat(80_000)}`);
    await until(async () => (await metric(url, 'vllm_router_body_memory_bytes')) === 80_000);
    const refused = await ask(url + PATH, { body: chat({ pad: 'x'.repeat(20_000) }) });
    expect([refused.status, errorOf(refused).code, refused.headers['retry-after']]).toEqual([
      503,
      'overloaded',
      '1',
    ]);
    expect((await ask(url + PATH, { body: chat() })).status).toBe(200);
    socket.destroy();
    await whenNothingIsHeld(url);
    expect((await ask(url + PATH, { body: chat({ pad: 'x'.repeat(20_000) }) })).status).toBe(200);
  });

  it('on the bytes of all bodies lets go of those whose answers have begun', async () => {
    const slow = await startSimulatedEngine({ models: ['tiny'], tokens: 1_000_000, tokenInterval: 20 });
    const router = await startTestRouter([slow], ['--max-body-memory', '100000']);
    const body = { model: 'tiny', stream: true, messages: [{ role: 'user', content: 'x'.repeat(60_000) }] };
    const answers = [];
    for (let i = 0; i < 3; i++) {
      answers.push(await headOf(begin(router.url + PATH, { body })));
      expect(answers.at(-1)?.statusCode).toBe(200);
    }
    for (const answer of answers) answer.destroy();
    await whenNothingIsHeld(router.url);
    await router.close();
    await slow.close(0);
  });

  it('on the headers answers 431', async () => {
    const url = await start('--max-header-size', '4KiB');
    const answer = await rawExchange(url, head(`x-large: ${'y'.repeat(5_000)}`));
    expect(answer).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
    expect(answer).toMatch(/\r\nx-request-id: [0-9a-f-]{36}\r\n/);
    expect(errorIn(answer).code).toBe('headers_too_large');
    const many = head(
      ...Array.from({ length: 300 }, (_, i) => `x${i}: 1`),
      'connection: close',
      'content-length: 0',
    );
    expect(await rawExchange(url, many)).toMatch(/^HTTP\/1\.1 400 [\s\S]*model_required/);
  });

  it('on the time of the headers answers 408', async () => {
    const url = await start('--client-header-timeout', '0.2');
    const answer = await rawExchange(url, 'POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\nx-slow: ');
    expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(errorIn(answer)).toMatchObject({
      code: 'request_timeout',
      message: expect.stringContaining('--client-header-timeout'),
    });
  });

  it('on the time of a body answers 408, but not while it keeps coming', async () => {
    const url = await start('--client-body-timeout', '0.5');
    const text = JSON.stringify(chat({ pad: 'x'.repeat(60_000) }));
    const slow = await openSocket(url);
    slow.write(`${head(`content-length: ${text.length}`)}${text.slice(0, 10)}`);
    const steady = await openSocket(url);
    steady.write(
      head(`content-length: ${text.length}`, 'content-type: application/json', 'connection: close'),
    );
    const done = readToClose(steady);
    // About 24 KiB a second, for some five times the limit.
    const sending = (async () => {
      for (let at = 0; at < text.length; at += 2_500) {
        steady.write(text.slice(at, at + 2_500));
        await pause(100);
      }
    })();
    expect(errorIn(await readUntil(slow, '}}'))).toMatchObject({
      code: 'request_timeout',
      message: 'Request body did not arrive within 0.5 s (--client-body-timeout).',
    });
    slow.destroy();
    await sending;
    expect(await done).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('on the requests of an engine answers 503 when every engine is full', async () => {
    const slow = await startSimulatedEngine({ models: ['tiny'], tokens: 1_000_000, tokenInterval: 20 });
    const router = await startTestRouter([slow], ['--max-requests-per-engine', '2']);
    const body = { model: 'tiny', stream: true, messages: [{ role: 'user', content: 'a' }] };
    const answers = await Promise.all([1, 2].map(() => headOf(begin(router.url + PATH, { body }))));
    const refused = await ask(router.url + PATH, { body });
    expect([refused.status, errorOf(refused).code, refused.headers['retry-after']]).toEqual([
      503,
      'overloaded',
      '1',
    ]);
    expect(slow.requestCount).toBe(2);
    answers[0]!.destroy();
    await until(async () => (await metric(router.url, 'vllm_router_requests_in_flight')) === 1);
    const third = await headOf(begin(router.url + PATH, { body }));
    expect(third.statusCode).toBe(200);
    for (const answer of [...answers, third]) answer.destroy();
    await whenNothingIsHeld(router.url);
    await router.close();
    await slow.close(0);
  });
});
