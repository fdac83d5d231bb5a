import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type SimulatedEngine, startSimulatedEngine } from '../../src/simulator/http/simulated-engine.js';
import type { RunningRouter } from '../../src/serve.js';
import { ask, begin, chat, framesOf, frameReader, headOf } from '../support/http-client.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { startRouterProcess } from '../support/router-process.js';
import { chunk, chunkedHead, ScriptedEngines, sized } from '../support/scripted-engine.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

const ejected = (url: string): Promise<number> =>
  metric(url, 'vllm_router_ejections_total', 'cause="stalled"');
const movedOn = (url: string): Promise<number> => metric(url, 'vllm_router_retries_total', 'cause="stalled"');
const post = (url: string, fields: object = {}) => ask(`${url}/v1/chat/completions`, { body: chat(fields) });

describe('an engine whose core stands still while its API goes on answering', () => {
  let engines: SimulatedEngine[];
  let router: RunningRouter;

  beforeAll(async () => {
    engines = await Promise.all(
      [1, 2].map(() => startSimulatedEngine({ models: ['tiny'], tokenInterval: 5 })),
    );
    router = await startTestRouter(engines, ['--stall-timeout', '1']);
  });
  afterAll(async () => {
    await whenNothingIsHeld(router.url);
    await router.close();
    await Promise.all(engines.map((engine) => engine.close(0)));
  });

  it('is ejected, what it has not begun to answer goes elsewhere, and its streams go on when it does', async () => {
    // It has computed before, so that its pace is known.
    for (const _ of [1, 2]) await post(router.url);
    const open = [1, 2].map(() =>
      begin(`${router.url}/v1/chat/completions`, {
        body: chat({ stream: true, max_tokens: 500, ignore_eos: true }),
      }),
    );
    const streams = await Promise.all(open.map(async (sent) => frameReader(await headOf(sent))));
    for (const next of streams) expect(await next()).toContain('data: ');
    await engines[0]!.setFault({ frozen: true });
    const answers = await Promise.all([
      ...[1, 2].map(() => post(router.url)),
      ...[1, 2].map(() => post(router.url, { stream: true })),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect([await ejected(router.url), await movedOn(router.url)]).toEqual([1, 2]);
    const asked = engines[0]!.requestCount;
    for (const _ of [1, 2, 3]) expect((await post(router.url)).status).toBe(200);
    expect(engines[0]!.requestCount).toBe(asked);
    await engines[0]!.setFault(null);
    for (const next of streams) {
      let last: string | null = '';
      for (let frame = await next(); frame !== null; frame = await next()) last = frame;
      expect(last).toBe('data: [DONE]\n\n');
    }
    await until(async () => (await post(router.url)).status === 200 && engines[0]!.requestCount > asked);
  });
});

describe('an engine that takes long', () => {
  it('is not stalled while its counters move, whoever it works for', async () => {
    const engines = await Promise.all(
      [1, 2].map(() => startSimulatedEngine({ models: ['tiny'], tokenInterval: 25 })),
    );
    const router = await startTestRouter(engines, ['--stall-timeout', '0.4']);
    // 80 tokens in one piece, after five times the timeout.
    const answers = await Promise.all(
      [1, 2].map(() => post(router.url, { max_tokens: 80, ignore_eos: true })),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect([await ejected(router.url), await movedOn(router.url)]).toEqual([0, 0]);
    await router.close();
    await Promise.all(engines.map((engine) => engine.close(0)));
  });
});

describe('an engine without metrics', () => {
  let engines: ScriptedEngines;
  let router: RunningRouter;

  beforeAll(async () => {
    engines = await ScriptedEngines.start(2);
    const fleet = engines.urls.map((url) => ({ url, models: ['tiny'] }));
    router = await startTestRouter(fleet, ['--stall-timeout', '0.4']);
  });
  afterAll(async () => {
    await whenNothingIsHeld(router.url);
    await router.close();
    await engines.stop();
  });

  it('may take as long as it likes for an answer in one piece', async () => {
    const asked = post(router.url);
    const { socket } = await engines.next();
    await until(async () => (await metric(router.url, 'vllm_router_engine_scrape_failures_total')) > 6);
    expect([await ejected(router.url), engines.unasked]).toEqual([0, 0]);
    socket.write(sized('{"ok":true}'));
    expect((await asked).status).toBe(200);
  });

  it('is stalled when a stream that had begun is silent', async () => {
    const frame = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n';
    const begun = headOf(begin(`${router.url}/v1/chat/completions`, { body: chat({ stream: true }) }));
    const first = await engines.next();
    first.socket.write(chunkedHead('text/event-stream'));
    first.socket.write(chunk(frame));
    const next = frameReader(await begun);
    expect(await next()).toBe(frame);
    // Round robin comes back to it with the second request.
    const asked = [post(router.url), post(router.url)];
    const arrivals = [await engines.next(), await engines.next(), await engines.next()];
    const other = arrivals.filter(({ engine }) => engine !== first.engine);
    expect(other).toHaveLength(2);
    for (const { socket } of other) socket.write(sized('{"ok":true}'));
    for (const answer of asked) expect((await answer).status).toBe(200);
    expect([await ejected(router.url), await movedOn(router.url)]).toEqual([1, 1]);
    // It is the client's turn to wait: the stream goes on when its engine does.
    first.socket.write(Buffer.concat([chunk(frame), chunk('data: [DONE]\n\n'), chunk('')]));
    expect([await next(), await next(), await next()]).toEqual([frame, 'data: [DONE]\n\n', null]);
  });
});

describe('an engine process that is stopped', () => {
  let stopped: { readonly url: string; readonly models: string[]; readonly child: ChildProcess };

  beforeAll(async () => {
    const main = join(__dirname, '../../dist/main.js');
    const flags = ['--port', '0', '--served-model-name', 'tiny', '--itl', '5', '--ttft', '5'];
    const child = spawn(process.execPath, [main, 'engine', ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    while (!/"url":"([^"]+)"/.test(output)) output += String((await once(child.stdout, 'data'))[0]);
    child.stdout.resume();
    stopped = { url: /"url":"([^"]+)"/.exec(output)![1]!, models: ['tiny'], child };
  });
  afterAll(async () => {
    const ended = once(stopped.child, 'exit');
    stopped.child.kill('SIGKILL');
    await ended;
  });

  it('accepts connections and answers nothing: all workers leave it, and come back when it goes on', async () => {
    const other = await startSimulatedEngine({ models: ['tiny'], tokenInterval: 5 });
    const router = await startRouterProcess([stopped, other], ['--workers', '2', '--stall-timeout', '1']);
    const stream = begin(`${router.url}/v1/chat/completions`, {
      body: chat({ stream: true, max_tokens: 600, ignore_eos: true }),
      headers: { 'x-request-timeout-ms': '15000' },
    });
    const whole = headOf(stream).then(async (answer) => Buffer.concat(await answer.toArray()));
    await until(async () => (await metric(router.url, 'vllm:num_decoding_requests')) === 1);
    stopped.child.kill('SIGSTOP');
    // Connections go to the workers in turn.
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => post(router.url, { stream: i % 2 === 0 })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    expect(await movedOn(router.url)).toBeGreaterThanOrEqual(2);
    expect(await ejected(router.url)).toBeGreaterThanOrEqual(1);
    stopped.child.kill('SIGCONT');
    expect(framesOf(await whole).at(-1)).toBe('data: [DONE]');
    const before = other.requestCount;
    let asked = 0;
    await until(async () => {
      asked++;
      return (await post(router.url)).status === 200 && other.requestCount < before + asked;
    });
    await whenNothingIsHeld(router.url);
    await router.kill();
    await other.close(0);
  });
});
