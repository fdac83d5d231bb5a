import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import {
  ask,
  begin,
  chat,
  errorOf,
  frameReader,
  framesOf,
  headOf,
  openSocket,
  readToClose,
  readUntil,
} from '../support/http-client.js';
import { type RouterProcess, startRouterProcess } from '../support/router-process.js';
import { until } from '../support/until.js';

describe('a router that is told to stop', () => {
  let engine: SimulatedEngine;
  let router: RouterProcess;

  beforeEach(async () => {
    engine = await startSimulatedEngine({ models: ['tiny'], tokens: 1_000_000, tokenInterval: 5 });
  });
  afterEach(async () => {
    await router.kill();
    await engine.close(0);
  });

  const start = async (...flags: string[]): Promise<void> => {
    router = await startRouterProcess([engine], flags);
  };
  const streamOf = (fields: object) =>
    begin(`${router.url}/v1/chat/completions`, {
      body: { model: 'tiny', stream: true, messages: [{ role: 'user', content: 'a' }], ...fields },
    });
  const ready = async (): Promise<number> => (await ask(`${router.url}/ready`)).status;

  it('is unready at once, serves on for the delay, lets a stream end, and exits with 0', async () => {
    await start('--shutdown-delay', '2', '--shutdown-timeout', '15');
    const text = JSON.stringify({ ...chat({ max_tokens: 800 }), stream: true });
    const request = `POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
    const busy = await openSocket(router.url);
    busy.write(request);
    await readUntil(busy, '"content":');
    const idle = await openSocket(router.url);
    router.child.kill('SIGTERM');
    await until(async () => (await ready()) === 503);
    expect((await ask(`${router.url}/health`)).status).toBe(200);
    expect((await ask(`${router.url}/v1/chat/completions`, { body: chat() })).status).toBe(200);
    // After the delay nobody can connect any more, and a connection that is there hears why it is of no use.
    await until(() => router.output.some((line) => line.includes('requests under way')));
    expect(await readToClose(idle)).toBe('');
    await expect(ask(`${router.url}/health`)).rejects.toThrow('ECONNREFUSED');
    busy.write(request);
    const answers = await readToClose(busy);
    expect(answers).toMatch(/data: \[DONE\]\n\n\r\n0\r\n\r\nHTTP\/1\.1 503 /);
    expect(answers).toMatch(/\r\nretry-after: 1\r\nconnection: close\r\n[\s\S]*"code":"shutting_down"/);
    expect(await router.ended).toBe(0);
    expect(engine.requestCount).toBe(2);
  });

  it('ends a stream that takes too long in an error event, what has not begun in a 503, and exits with 0', async () => {
    await start('--shutdown-delay', '0', '--shutdown-timeout', '0.5');
    const stream = await headOf(streamOf({}));
    const next = frameReader(stream);
    await next();
    engine.pause();
    const seen = engine.nextRequest();
    const waiting = ask(`${router.url}/v1/chat/completions`, { body: chat() });
    await seen;
    router.child.kill('SIGTERM');
    const frames: string[] = [];
    for (let frame = await next(); frame !== null; frame = await next()) frames.push(frame);
    expect(frames.at(-1)).toContain('"code":"shutting_down"');
    expect(framesOf(frames.join(''))).not.toContain('data: [DONE]');
    const answer = await waiting;
    expect([answer.status, errorOf(answer).code]).toEqual([503, 'shutting_down']);
    expect(await router.ended).toBe(0);
    await engine.whenIdle();
  });

  it('does not wait for clients that do not read, nor for idle and half-sent connections', async () => {
    await start('--shutdown-delay', '0', '--shutdown-timeout', '0.2');
    const idle = await openSocket(router.url);
    const halfSent = await openSocket(router.url);
    halfSent.write('POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\ncontent-length: 100\r\n\r\n{');
    await engine.setFault({ hugeAnswer: 50_000_000 });
    const stream = await headOf(streamOf({}));
    expect(stream.statusCode).toBe(200);
    router.child.kill('SIGTERM');
    expect(await router.ended).toBe(0);
    for (const socket of [idle, halfSent]) socket.destroy();
    stream.destroy();
  });

  it('stops at once when it is told twice', async () => {
    await start('--shutdown-delay', '600', '--shutdown-timeout', '600');
    const stream = await headOf(streamOf({}));
    router.child.kill('SIGTERM');
    await until(async () => (await ready()) === 503);
    router.child.kill('SIGTERM');
    expect(await router.ended).toBe(0);
    stream.destroy();
  });
});
