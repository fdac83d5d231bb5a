import { type ClientRequest } from 'node:http';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import { ask, begin, chat, frameReader, headOf, openSocket, readUntil } from '../support/http-client.js';
import { LearningStrategy } from '../support/learning-strategy.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

const MANY = Array.from({ length: 50 });
const TEXT = JSON.stringify(chat({ stream: true }));
const HEAD = `POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\ncontent-type: application/json\r\n`;

describe('clients that leave', () => {
  let engine: SimulatedEngine;
  let router: RunningRouter;
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);

  beforeAll(async () => {
    process.on('unhandledRejection', note);
    process.on('warning', note);
    engine = await startSimulatedEngine({ models: ['tiny'], tokenInterval: 20, tokens: 1_000_000 });
    router = await startTestRouter([engine]);
  });
  afterEach(async () => {
    await engine.whenIdle();
    await whenNothingIsHeld(router.url);
  });
  afterAll(async () => {
    await router.close();
    await engine.close();
    process.off('unhandledRejection', note);
    process.off('warning', note);
    expect(unhandled).toEqual([]);
  });

  const endless = { model: 'tiny', messages: [{ role: 'user', content: 'a' }], stream: true };
  const send = (body: object = endless): ClientRequest => {
    const sent = begin(`${router.url}/v1/chat/completions`, { body });
    sent.on('error', () => undefined);
    return sent;
  };
  const leavers = (): Promise<number> => metric(router.url, 'vllm_router_client_disconnects_total');

  it('in the middle of a stream close the engine’s sockets', async () => {
    const [aborted, left] = [engine.aborted, await leavers()];
    const answers = await Promise.all(MANY.map(() => headOf(send())));
    expect(engine.inFlight).toBe(50);
    for (const answer of answers) answer.destroy();
    await engine.whenIdle();
    expect(engine.aborted).toBe(aborted + 50);
    expect(await leavers()).toBe(left + 50);
  });

  it('before the answer close the engine’s sockets, streaming or not', async () => {
    engine.pause();
    const [aborted, count] = [engine.aborted, engine.requestCount];
    const sent = MANY.map((_, i) => send({ ...endless, stream: i % 2 === 0 }));
    await until(() => engine.requestCount === count + 50);
    for (const request of sent) request.destroy();
    await engine.whenIdle();
    expect(engine.aborted).toBe(aborted + 50);
    engine.resume();
  });

  it('by closing only their sending side are gone as well', async () => {
    engine.pause();
    const seen = engine.nextRequest();
    const socket = await openSocket(router.url);
    socket.end(`${HEAD}content-length: ${TEXT.length}\r\n\r\n${TEXT}`);
    await seen;
    await engine.whenIdle();
    engine.resume();
    socket.destroy();
  });

  it('while their answers wait behind others on one connection are gone as well', async () => {
    const socket = await openSocket(router.url);
    const count = engine.requestCount;
    const text = JSON.stringify(endless);
    socket.write(`${HEAD}content-length: ${text.length}\r\n\r\n${text}`.repeat(3));
    await until(() => engine.requestCount === count + 3);
    await readUntil(socket, '"content":');
    socket.destroy();
    await engine.whenIdle();
  });

  it('while they upload leave nothing behind', async () => {
    const [count, left] = [engine.requestCount, await leavers()];
    const sockets = await Promise.all(MANY.map(() => openSocket(router.url)));
    for (const [i, socket] of sockets.entries()) {
      const length = i % 2 === 0 ? 'content-length: 1000000' : 'transfer-encoding: chunked';
      socket.write(`${HEAD}${length}\r\n\r\n${i % 2 === 0 ? '' : '186a0\r\n'}${'x'.repeat(100_000)}`);
    }
    await until(async () => (await metric(router.url, 'vllm_router_body_memory_bytes')) === 50 * 100_000);
    for (const [i, socket] of sockets.entries()) {
      if (i % 3 === 0) socket.resetAndDestroy();
      else socket.destroy();
    }
    await whenNothingIsHeld(router.url);
    expect(engine.requestCount).toBe(count);
    expect(await leavers()).toBe(left + 50);
  });

  it('while the engine is being connected to leave nothing behind', async () => {
    await engine.setFault({ hang: 'accept' });
    const connections = engine.connectionCount;
    // Kept connections would be used instead of new ones.
    const sent = MANY.map(() => send());
    await until(() => engine.connectionCount > connections);
    for (const request of sent) request.destroy();
    await until(async () => (await metric(router.url, 'vllm_router_requests_in_flight')) === 0);
    await engine.setFault(null);
    expect((await ask(`${router.url}/v1/chat/completions`, { body: chat() })).status).toBe(200);
  });

  it('and come at random moments leave every gauge at 0', async () => {
    const rounds = MANY.map(async (_, i) => {
      const sent = send({ ...endless, stream: i % 3 !== 0, pad: 'x'.repeat((i % 7) * 20_000) });
      for (let turn = 0; turn < i; turn++) await new Promise((resolve) => setImmediate(resolve));
      sent.destroy();
    });
    await Promise.all(rounds);
  });
});

describe('a client that reads slowly', () => {
  it('slows its engine down, and is not taken for a silent engine', async () => {
    const engine = await startSimulatedEngine({ models: ['tiny'], answer: 'x'.repeat(300_000), tokens: 200 });
    const flags = ['--idle-timeout', '0.3', '--routing-logic', 'learning'];
    const router = await startTestRouter([engine], flags, [LearningStrategy]);
    const answer = await headOf(
      begin(`${router.url}/v1/completions`, { body: { model: 'tiny', prompt: 'a', stream: true } }),
    );
    const next = frameReader(answer);
    await next();
    await overIdleTimeout();
    // It has stopped when the buffers between it and the client were full.
    expect(engine.requests[0]?.tokensSent).toBeLessThan(100);
    expect(engine.inFlight).toBe(1);
    let frames = 1;
    for (let frame = await next(); frame !== null; frame = await next()) {
      expect(frame).not.toContain('"error"');
      frames++;
    }
    expect(frames).toBe(201);
    await whenNothingIsHeld(router.url);
    expect(LearningStrategy.newest.events.at(-1)).toMatchObject({
      type: 'finished',
      outcome: 'done',
      heldUp: true,
    });
    await router.close();
    await engine.close();
  });
});

/** The sweep for idle engines comes four times a second; the time limit of the test is 0.3 s. */
const overIdleTimeout = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 900));
