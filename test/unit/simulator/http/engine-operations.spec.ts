import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import {
  type SimulatedEngine,
  type SimulatedEngineOptions,
  startSimulatedEngine,
} from '../../../../src/simulator/http/simulated-engine.js';
import { PROFILES } from '../../../../src/simulator/model/engine-profile.js';
import { ask, chatOf, collect, fetchAnswer, framesOf, headOf } from './engine-client.js';

const CHAT = '/v1/chat/completions';
/** Longer than any test: what waits for this never ends by itself. */
const NEVER_MS = 600_000;

describe('operating a simulated engine', () => {
  const engines: SimulatedEngine[] = [];
  const start = async (options: SimulatedEngineOptions = {}): Promise<SimulatedEngine> => {
    const engine = await startSimulatedEngine({ models: ['tiny'], devMode: true, ...options });
    engines.push(engine);
    return engine;
  };
  afterEach(async () => {
    await Promise.all(engines.splice(0).map(async (engine) => engine.close(0)));
  });
  const stream = async (engine: SimulatedEngine, fields: object = {}): Promise<IncomingMessage> =>
    headOf(ask(engine.url + CHAT, { body: chatOf({ stream: true, ...fields }) }));
  const post = async (engine: SimulatedEngine, path: string): Promise<string> =>
    (await fetchAnswer(engine.url + path, { method: 'POST' })).body.toString();
  const metric = async (engine: SimulatedEngine, series: string): Promise<number> => {
    const text = (await fetchAnswer(`${engine.url}/metrics`)).body.toString();
    const line = text.split('\n').find((one) => one.startsWith(`vllm:${series}`)) ?? '';
    return Number(line.slice(line.lastIndexOf(' ') + 1));
  };

  it('ends streams with the reason abort and holds new requests outside of its gauges when it is paused', async () => {
    const engine = await start({ tokenInterval: NEVER_MS, serverLoadTracking: true });
    const running = await stream(engine);
    const beginning = await collect(running, (text) => text.includes('"content":" w'));
    const rest = collect(running, (text) => text.includes('[DONE]'));
    await post(engine, '/pause');
    expect(framesOf(beginning + (await rest)).at(-2)).toContain('"finish_reason":"abort"');
    const held = await stream(engine);
    expect(held.statusCode).toBe(200);
    expect(await metric(engine, 'num_requests_waiting{')).toBe(0);
    expect((await fetchAnswer(`${engine.url}/load`)).body.toString()).toBe('{"server_load":1}');
    expect((await fetchAnswer(`${engine.url}/health`)).status).toBe(200);
    await post(engine, '/resume');
    await collect(held, (text) => text.includes('"content":" w'));
    held.destroy();
  });

  it('answers a pause that waits once the last request has ended', async () => {
    const engine = await start({ tokenInterval: 5 });
    const running = await stream(engine);
    const paused = post(engine, '/pause?mode=wait');
    running.resume();
    await once(running, 'end');
    expect(await paused).toBe('{"status":"paused"}');
    expect(engine.requests[0]?.finished).toBe('done');
  });

  it('tells of its sleep in the metrics', async () => {
    const engine = await start();
    await post(engine, '/sleep?level=2');
    expect(await metric(engine, 'engine_sleep_state{engine="0",model_name="tiny",sleep_state="awake"}')).toBe(
      0,
    );
    await post(engine, '/wake_up');
    expect(await metric(engine, 'engine_sleep_state{engine="0",model_name="tiny",sleep_state="awake"}')).toBe(
      1,
    );
  });

  it('answers 503 instead of the head of a stream when its queue is full', async () => {
    const engine = await start({ maxQueuedRequests: 2, maxConcurrent: 1, tokenInterval: NEVER_MS });
    const open = [await stream(engine), await stream(engine)];
    const refused = await fetchAnswer(engine.url + CHAT, { body: chatOf({ stream: true }) });
    expect(refused.status).toBe(503);
    expect(JSON.parse(refused.body.toString())).toMatchObject({ error: { type: 'Service Unavailable' } });
    for (const one of open) one.destroy();
    await engine.whenIdle();
    expect(engine).toMatchObject({ running: 0, waiting: 0 });
  });

  it('streams several choices, each with its role, its tokens and its end', async () => {
    const engine = await start();
    const body = chatOf({ stream: true, n: 2, max_tokens: 3, stream_options: { include_usage: true } });
    const frames = framesOf((await fetchAnswer(engine.url + CHAT, { body })).body);
    const of = (index: number): string[] => frames.filter((frame) => frame.includes(`"index":${index},`));
    expect([of(0).length, of(1).length, frames.length]).toEqual([4, 4, 10]);
    expect(of(1).at(-1)).toContain('"finish_reason":"length"');
    expect(frames.at(-2)).toContain('"completion_tokens":6');
  });

  it('fills the prefix cache with answers, too', async () => {
    const engine = await start({ profile: { ...PROFILES.instant, blockSize: 4 } });
    const messages: object[] = [{ role: 'user', content: 'a b c d e f' }];
    const first = await fetchAnswer(engine.url + CHAT, { body: chatOf({ messages, max_tokens: 8 }) });
    const { choices } = JSON.parse(first.body.toString()) as { choices: { message: object }[] };
    messages.push(choices[0]?.message ?? {}, { role: 'user', content: 'g' });
    await fetchAnswer(engine.url + CHAT, { body: chatOf({ messages }) });
    // 8 tokens of the question with its template, and 4 of the 7 whose KV the answer left behind.
    expect(await metric(engine, 'prefix_cache_hits_total')).toBe(12);
  });

  it('stands still behind a healthy /health when it is frozen', async () => {
    const engine = await start();
    await engine.setFault({ frozen: true });
    const answer = await stream(engine);
    const [health, metrics] = await Promise.all([
      fetchAnswer(`${engine.url}/health`),
      metric(engine, 'num_requests_running'),
    ]);
    expect([answer.statusCode, health.status, metrics]).toEqual([200, 200, 0]);
    expect(answer.readableLength).toBe(0);
    await engine.setFault(null);
    expect(await collect(answer, (text) => text.includes('[DONE]'))).toContain('"finish_reason":"length"');
  });

  it('fails everything and then ends when it is dying', async () => {
    const engine = await start({ tokenInterval: NEVER_MS });
    const answer = await stream(engine);
    await collect(answer, (text) => text.includes('"content":" w'));
    const died = engine.once('died');
    const rest = collect(answer, (text) => text.includes('[DONE]'));
    await engine.setFault({ dying: 200 });
    expect(await rest).toMatch(/^data: {"error": .*EngineCore/);
    expect((await fetchAnswer(`${engine.url}/health`)).status).toBe(503);
    expect((await fetchAnswer(engine.url + CHAT, { body: chatOf() })).status).toBe(500);
    await died;
    await expect(fetchAnswer(`${engine.url}/health`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('takes no fault of the whole engine from a request', async () => {
    const engine = await start();
    const headers = { 'x-sim-fault': '{"frozen":true}' };
    const answer = await fetchAnswer(engine.url + CHAT, { headers, body: chatOf() });
    expect(answer.status).toBe(400);
    expect(answer.body.toString()).toContain('for the whole engine');
  });

  it('tells and lifts its fault', async () => {
    const engine = await start();
    await fetchAnswer(`${engine.url}/sim/fault`, { body: { status: 503 } });
    const told = await fetchAnswer(`${engine.url}/sim/fault`);
    expect(JSON.parse(told.body.toString())).toEqual({ fault: { status: 503 } });
    await fetchAnswer(`${engine.url}/sim/fault`, { method: 'DELETE' });
    expect((await fetchAnswer(engine.url + CHAT, { body: chatOf() })).status).toBe(200);
  });

  it('drains: what runs ends, what comes is refused, probes are answered', async () => {
    const engine = await start({ tokenInterval: 20 });
    const running = await stream(engine);
    const drained = engine.drain(NEVER_MS);
    const refused = await fetchAnswer(engine.url + CHAT, { body: chatOf() });
    expect([refused.status, refused.body.toString()]).toEqual([
      500,
      expect.stringContaining('after shutdown'),
    ]);
    expect((await fetchAnswer(`${engine.url}/health`)).status).toBe(200);
    running.resume();
    await drained;
    expect(engine.requests[0]?.finished).toBe('done');
  });

  it('comments on the silence of a stream', async () => {
    const engine = await start({ timeToFirstToken: NEVER_MS, sseKeepAliveMs: 10 });
    const answer = await stream(engine);
    const text = await collect(answer, (sofar) => framesOf(sofar).length >= 2);
    expect(new Set(framesOf(text))).toEqual(new Set([': keep-alive']));
    answer.destroy();
  });
});
