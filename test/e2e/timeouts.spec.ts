import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Fault,
  type SimulatedEngine,
  startSimulatedEngine,
} from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import { ask, chat, errorOf, framesOf, jsonOf, rawExchange } from '../support/http-client.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

const STREAM = { 'content-type': 'text/event-stream' };
const FRAME = 'data: {"choices":[{"text":"a"}]}\n\n';

describe('an engine that is late', () => {
  let engines: SimulatedEngine[];
  let routers: RunningRouter[];

  beforeEach(() => {
    engines = [];
    routers = [];
  });
  afterEach(async () => {
    for (const { url } of routers) await whenNothingIsHeld(url);
    await Promise.all(routers.map((router) => router.close()));
    await Promise.all(engines.map((engine) => engine.close(0)));
  });

  const start = async (faults: readonly (Fault | null)[], ...flags: string[]): Promise<string> => {
    engines = await Promise.all(faults.map(() => startSimulatedEngine({ models: ['tiny'] })));
    for (const [i, fault] of faults.entries()) await engines[i]!.setFault(fault);
    const router = await startTestRouter(engines, flags);
    routers.push(router);
    return router.url;
  };
  const causes = (url: string, cause: string): Promise<number> =>
    metric(url, 'vllm_router_retries_total', `cause="${cause}"`);

  it('to its first byte loses the request to another engine', async () => {
    const url = await start([{ hang: 'before-head' }, null], '--first-byte-timeout', '0.5');
    for (const stream of [false, true]) {
      expect((await ask(`${url}/v1/chat/completions`, { body: chat({ stream }) })).status).toBe(200);
      expect((await ask(`${url}/v1/chat/completions`, { body: chat({ stream }) })).status).toBe(200);
    }
    expect(await causes(url, 'first_byte_timeout')).toBe(2);
    expect(engines.map(({ requestCount }) => requestCount)).toEqual([2, 4]);
  });

  it('to the first token of a stream is late although its head and comments came in time', async () => {
    const chunks = [
      ': keep-alive\n\n',
      'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n',
      ': keep-alive\n\n',
      FRAME,
    ];
    const url = await start(
      [{ answer: { headers: STREAM, chunks }, hang: 'after-frames', frames: 3 }],
      '--first-byte-timeout',
      '0.2',
    );
    // Whoever asked for no stream and gets one waits by the same rule.
    for (const [path, fields] of [
      ['/v1/chat/completions', { stream: true }],
      ['/v1/messages', {}],
    ] as const) {
      const answer = await ask(url + path, { body: chat(fields) });
      expect(answer.status).toBe(504);
      const { error } = jsonOf<{ error: { code: string; message: string } }>(answer);
      expect(error).toMatchObject({
        code: 'engine_timeout',
        message: 'The engine did not answer in time: attempt 1: first_byte_timeout.',
      });
    }
  });

  it('with an answer that is no stream has all the time it needs, unless the flag is given', async () => {
    const url = await start([{ slowHead: 1_200 }], '--idle-timeout', '0.3');
    expect((await ask(`${url}/v1/chat/completions`, { body: chat() })).status).toBe(200);
  });

  it('between two frames ends the stream in an error event', async () => {
    const url = await start(
      [{ answer: { headers: STREAM, chunks: [FRAME, FRAME] }, hang: 'after-frames', frames: 1 }],
      '--idle-timeout',
      '0.2',
    );
    const frames = framesOf((await ask(`${url}/v1/completions`, { body: chat({ stream: true }) })).body);
    expect(frames).toHaveLength(2);
    expect(jsonOf({ body: Buffer.from(frames[1]!.slice(6)) })).toMatchObject({
      error: { code: 'engine_timeout', message: expect.stringContaining('(idle_timeout)') },
    });
    expect(await metric(url, 'vllm_router_requests_total', 'outcome="timeout"')).toBe(1);
  });

  it('in the middle of another body loses it: held back to another engine, begun to the closed connection', async () => {
    const url = await start([{ hang: 'mid-frame' }, null], '--idle-timeout', '0.2');
    for (const _ of [1, 2])
      expect((await ask(`${url}/v1/chat/completions`, { body: chat() })).status).toBe(200);
    expect(await causes(url, 'idle_timeout')).toBe(1);
    for (const engine of engines)
      await engine.setFault({
        answer: { headers: { 'content-type': 'audio/wav' }, chunks: ['begun', 'x'] },
        hang: 'after-frames',
        frames: 1,
      });
    const text = JSON.stringify(chat());
    const cut = await rawExchange(
      url,
      `POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
    );
    expect(cut).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n5\r\nbegun\r\n$/);
  });

  it('in all is stopped at the total time, before and after the first token', async () => {
    const begun: Fault = {
      answer: { headers: STREAM, chunks: [FRAME, FRAME] },
      hang: 'after-frames',
      frames: 1,
    };
    const url = await start([begun, begun], '--total-timeout', '0.6');
    const frames = framesOf((await ask(`${url}/v1/completions`, { body: chat({ stream: true }) })).body);
    expect(frames[1]).toContain('(total_timeout)');
    for (const engine of engines) await engine.setFault({ hang: 'before-head' });
    const answer = await ask(`${url}/v1/chat/completions`, { body: chat() });
    expect([answer.status, errorOf(answer).code]).toEqual([504, 'engine_timeout']);
    // No time is left for a second engine, and none is to blame.
    expect(engines.map(({ requestCount }) => requestCount)).toEqual([1, 1]);
    expect(await metric(url, 'vllm_router_ejections_total')).toBe(0);
  });

  it('to accept a connection loses the request to another engine', async () => {
    const { blackHole, close } = await startBlackHole();
    try {
      engines = [await startSimulatedEngine({ models: ['tiny'] })];
      const router = await startTestRouter(
        [{ url: blackHole, models: ['tiny'] }, ...engines],
        ['--connect-timeout', '0.3', '--backend-health-check-timeout-seconds', '0.5'],
      );
      routers.push(router);
      for (const _ of [1, 2])
        expect((await ask(`${router.url}/v1/chat/completions`, { body: chat() })).status).toBe(200);
      expect(await causes(router.url, 'connect_timeout')).toBe(1);
      expect(engines[0]!.requestCount).toBe(2);
    } finally {
      close();
    }
  });
});

describe('a client that waits for a shorter time than the router', () => {
  const hasBegun: Fault = {
    answer: { headers: STREAM, chunks: [FRAME, FRAME] },
    hang: 'after-frames',
    frames: 1,
  };
  let engines: SimulatedEngine[];
  let router: RunningRouter;

  beforeAll(async () => {
    engines = await Promise.all([1, 2].map(() => startSimulatedEngine({ models: ['tiny'] })));
    router = await startTestRouter(engines);
  });
  afterAll(async () => {
    await whenNothingIsHeld(router.url);
    // An engine is no worse for what its clients do not wait for.
    expect(await metric(router.url, 'vllm_router_ejections_total')).toBe(0);
    await router.close();
    await Promise.all(engines.map((engine) => engine.close(0)));
  });
  beforeEach(() => Promise.all(engines.map((engine) => engine.setFault(null))));

  const send = (headers: Record<string, string>, fields: object = {}, path = '/v1/chat/completions') =>
    ask(router.url + path, { body: chat(fields), headers });
  const breakAll = (fault: Fault) => Promise.all(engines.map((engine) => engine.setFault(fault)));
  const asked = (): number => engines.reduce((sum, { requestCount }) => sum + requestCount, 0);

  it('ends its request at its deadline: 504 before the answer, an error event after', async () => {
    await breakAll({ hang: 'before-head' });
    const before = asked();
    const answer = await send({ 'x-request-timeout-ms': '300' });
    expect([answer.status, errorOf(answer).code, errorOf(answer).message]).toEqual([
      504,
      'engine_timeout',
      'The engine did not answer in time: attempt 1: request_deadline.',
    ]);
    expect(asked() - before).toBe(1);
    await breakAll(hasBegun);
    const { body } = await send({ 'x-request-timeout-ms': '300' }, { stream: true }, '/v1/completions');
    expect(framesOf(body)[1]).toContain('(request_deadline)');
  });

  it('moves its request on at its first-byte limit, within the budget of early attempts', async () => {
    await engines[0]!.setFault({ hang: 'before-head' });
    for (const _ of [1, 2]) expect((await send({ 'x-first-byte-timeout-ms': '200' })).status).toBe(200);
    expect(await metric(router.url, 'vllm_router_retries_total', 'cause="first_byte_deadline"')).toBe(1);
    await breakAll({ hang: 'before-head' });
    const answer = await send({ 'x-first-byte-timeout-ms': '200' });
    expect([answer.status, errorOf(answer).code]).toEqual([504, 'engine_timeout']);
  });

  it('ends a stream at its limit of silence', async () => {
    await breakAll(hasBegun);
    const { body } = await send({ 'x-idle-timeout-ms': '200' }, { stream: true }, '/v1/completions');
    expect(framesOf(body)[1]).toContain('(idle_deadline)');
  });

  it('cannot make the router wait longer', async () => {
    await breakAll({ hang: 'before-head' });
    const own = await startTestRouter(engines, ['--total-timeout', '0.3']);
    const headers = { 'x-request-timeout-ms': '60000', 'x-first-byte-timeout-ms': '60000' };
    const answer = await ask(`${own.url}/v1/chat/completions`, { body: chat(), headers });
    expect(errorOf(answer).message).toContain('total_timeout');
    await own.close();
  });

  it('is told of a limit that makes no sense, and no engine is asked', async () => {
    const before = asked();
    const answer = await send({ 'X-Idle-Timeout-Ms': '5s' });
    expect([answer.status, errorOf(answer).code]).toEqual([400, 'invalid_request']);
    expect(errorOf(answer).message).toContain('header x-idle-timeout-ms must be a whole number');
    expect(asked()).toBe(before);
  });

  it('waits for a connection no longer than it says', async () => {
    const { blackHole, close } = await startBlackHole();
    const flags = ['--backend-health-check-timeout-seconds', '0.5'];
    const own = await startTestRouter([{ url: blackHole, models: ['tiny'] }, ...engines], flags);
    try {
      for (const _ of [1, 2, 3]) {
        const headers = { 'x-connect-timeout-ms': '200' };
        expect((await ask(`${own.url}/v1/chat/completions`, { body: chat(), headers })).status).toBe(200);
      }
      expect(await metric(own.url, 'vllm_router_retries_total', 'cause="connect_deadline"')).toBe(1);
    } finally {
      await own.close();
      close();
    }
  });
});

describe('an engine that goes silent while its port refuses, as vLLM does after SIGTERM', () => {
  it('loses what has not begun to another engine, and what has ends in an error', async () => {
    const silent = await startSimulatedEngine({ models: ['tiny'], tokenInterval: 5, tokens: 1_000_000 });
    const other = await startSimulatedEngine({ models: ['tiny'] });
    // The silent one is the first of the ranking, whatever its port.
    const router = await startTestRouter(
      [silent, other],
      ['--routing-logic', 'session', '--session-key', 'x-user'],
    );
    const user = await userOf(router.url, silent);
    const send = (fields: object) =>
      ask(`${router.url}/v1/chat/completions`, { body: chat(fields), headers: { 'x-user': user } });
    const count = silent.requestCount;
    const begun = send({ stream: true, max_tokens: 100_000 });
    await until(async () => (await metric(router.url, 'vllm:num_decoding_requests')) === 1);
    silent.pause();
    const waiting = [send({ stream: true }), send({})];
    await until(
      () => silent.requestCount === count + 3 && silent.requests.every(({ sha256 }) => sha256 !== null),
    );
    silent.hangSilently();
    for (const answer of await Promise.all(waiting)) expect(answer.status).toBe(200);
    const frames = framesOf((await begun).body);
    expect(frames.at(-1)).toContain('(dead)');
    expect(await metric(router.url, 'vllm_router_retries_total', 'cause="dead"')).toBe(2);
    await whenNothingIsHeld(router.url);
    await router.close();
    await Promise.all([silent.close(0), other.close()]);
  });
});

/** A session that the router sends to this engine. */
async function userOf(url: string, engine: SimulatedEngine): Promise<string> {
  for (let i = 0; ; i++) {
    const before = engine.requestCount;
    await ask(`${url}/v1/chat/completions`, { body: chat(), headers: { 'x-user': `user-${i}` } });
    if (engine.requestCount > before) return `user-${i}`;
  }
}

/** A port whose queue of connections is full and never read: further ones are not answered at all. */
async function startBlackHole(): Promise<{ blackHole: string; close: () => void }> {
  const script = `const s = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(s.address().port))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  child.kill('SIGSTOP');
  const port = Number(line);
  const sockets: Socket[] = [];
  for (let full = false; !full;) {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    full = await Promise.race([once(socket, 'connect').then(() => false), pause(300).then(() => true)]);
  }
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    child.kill('SIGKILL');
  };
  return { blackHole: `http://127.0.0.1:${port}`, close };
}
