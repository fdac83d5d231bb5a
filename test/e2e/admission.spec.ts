import { setTimeout as pause } from 'node:timers/promises';
import type { RunningRouter } from '../../src/serve.js';
import { type Answer, ask, begin, chat, errorOf, headOf } from '../support/http-client.js';
import { metric, whenNothingIsHeld } from '../support/router-metrics.js';
import { type Arrival, chunk, chunkedHead, ScriptedEngines, sized } from '../support/scripted-engine.js';
import { startTestRouter } from '../support/start-router.js';
import { until } from '../support/until.js';

const FRAME = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';
const PATIENT = { 'x-request-timeout-ms': '60000' };

describe('requests before engines that are late', () => {
  let engines: ScriptedEngines;
  let router: RunningRouter;
  /** What the engine has been sent and has not answered. */
  let open: Arrival[];

  beforeEach(async () => {
    engines = await ScriptedEngines.start(1);
    open = [];
  });
  afterEach(async () => {
    await router.close();
    await engines.stop();
  });

  const start = async (...flags: string[]): Promise<void> => {
    const backed = engines.urls.map((url) => ({ url, models: ['tiny'] }));
    router = await startTestRouter(backed, ['--ttft-target', '0.2', ...flags]);
  };
  const send = (content: string, headers: Record<string, string> = {}, fields: object = {}) =>
    ask(`${router.url}/v1/chat/completions`, {
      body: chat({ messages: [{ role: 'user', content }], ...fields }),
      headers: { ...PATIENT, ...headers },
    });
  /** An answer of which nothing is learned: the limit and what is reckoned stay what they are. */
  const refuse = ({ socket }: Arrival): void => {
    socket.write(sized('{"error":{"message":"no"}}', 'content-type: application/json', '400 Bad Request'));
  };
  const next = async (): Promise<Arrival> => {
    const arrival = await engines.next();
    open.push(arrival);
    return arrival;
  };
  const refuseOldest = (): void => refuse(open.shift()!);
  const contentOf = ({ body }: Arrival): string =>
    (JSON.parse(body.toString()) as { messages: [{ content: string }] }).messages[0].content;
  const held = (): Promise<number> => metric(router.url, 'vllm_router_held_requests');
  const whenHeld = (count: number): Promise<void> => until(async () => (await held()) === count);

  /** Lets everything that is under way end. */
  const endAll = async (answers: readonly Promise<Answer>[]): Promise<readonly number[]> => {
    while ((await held()) > 0) {
      refuseOldest();
      await next();
    }
    while (open.length > 0) refuseOldest();
    return (await Promise.all(answers)).map(({ status }) => status);
  };

  /**
   * Four streams whose first tokens come too late: from then on the engine gets three requests at once. They are sent,
   * and a fourth one, which is held.
   */
  const overload = async (): Promise<Promise<Answer>[]> => {
    const asking = { body: { ...chat(), stream: true }, headers: PATIENT };
    const sent = Array.from({ length: 4 }, () => begin(`${router.url}/v1/chat/completions`, asking));
    const heads = sent.map(headOf);
    const streams: Arrival[] = [];
    while (streams.length < 4) streams.push(await engines.next());
    // A fifth more than the half of the target: late enough for the most by which the limit is cut at once.
    await pause(200);
    for (const { socket } of streams) {
      socket.write(Buffer.concat([Buffer.from(chunkedHead('text/event-stream')), chunk(FRAME)]));
    }
    await until(async () => (await metric(router.url, 'vllm_router_in_flight_limit_tokens')) > 0);
    // Of answers that are left nothing is learned.
    for (const head of heads) (await head).destroy();
    await until(async () => (await metric(router.url, 'vllm_router_requests_in_flight')) === 0);
    const filling = Array.from({ length: 3 }, (_, at) => send(`filling ${at}`));
    while (open.length < 3) await next();
    filling.push(send('filling 3'));
    await whenHeld(1);
    return filling;
  };

  it('are held, and sent on unchanged as others end', async () => {
    await start();
    const filling = await overload();
    const body = chat({ messages: [{ role: 'user', content: 'held' }], priority: -3 });
    const answer = ask(`${router.url}/v1/chat/completions`, { body, headers: PATIENT });
    await whenHeld(2);
    expect(engines.unasked).toBe(0);
    refuseOldest();
    const arrival = await engines.next();
    expect(arrival.body.toString()).toBe(JSON.stringify(body));
    expect(await held()).toBe(1);
    arrival.socket.write(sized('{"choices":[{"finish_reason":"stop"}]}'));
    expect((await answer).status).toBe(200);
    await next();
    expect(await endAll(filling)).toEqual([400, 400, 400, 400]);
    expect(await metric(router.url, 'vllm_router_held_seconds_count', 'model="tiny"')).toBe(2);
    expect(await held()).toBe(0);
    await whenNothingIsHeld(router.url);
  });

  it('go by priority, that of the header before that of the body', async () => {
    await start();
    const answers = await overload();
    const add = async (...asked: Parameters<typeof send>): Promise<void> => {
      answers.push(send(...asked));
      await whenHeld(answers.length - 3);
    };
    await add('lazy', { 'x-vllm-priority': '7' }, { priority: -9 });
    await add('urgent', {}, { priority: -5 });
    await add('most urgent', { 'X-Vllm-Priority': '-6' });
    await add('odd', { 'x-vllm-priority': 'now!' }, { priority: 'first' });
    const order: string[] = [];
    while (order.length < 5) {
      refuseOldest();
      order.push(contentOf(await next()));
    }
    expect(order).toEqual(['most urgent', 'urgent', 'filling 3', 'odd', 'lazy']);
    await endAll(answers);
  });

  it('are taken from the tenant that was given less', async () => {
    await start('--tenant-header', 'X-Tenant');
    const answers = await overload();
    for (let at = 0; at < 6; at++) {
      answers.push(send(`loud ${at}`, { 'x-tenant': 'loud' }));
      await whenHeld(at + 2);
    }
    answers.push(send('quiet', { 'x-tenant': 'quiet' }));
    await whenHeld(8);
    const order: string[] = [];
    while (order.length < 3) {
      refuseOldest();
      order.push(contentOf(await next()));
    }
    expect([...order].sort()).toEqual(['filling 3', 'loud 0', 'quiet']);
    await endAll(answers);
  });

  it('give way, of the loud tenant, when no more are held', async () => {
    await start('--tenant-header', 'x-tenant', '--max-held-requests', '6');
    const answers = await overload();
    const loud = [0, 1, 2, 3, 4].map((at) => send(`loud ${at}`, { 'x-tenant': 'loud' }));
    await whenHeld(6);
    const quiet = send('quiet', { 'x-tenant': 'quiet' });
    const refused = await Promise.race(loud);
    expect([refused.status, errorOf(refused).code]).toEqual([429, 'overloaded']);
    expect(await metric(router.url, 'vllm_router_shed_total', 'reason="gave_way"')).toBe(1);
    const statuses = await endAll([quiet, ...answers, ...loud]);
    expect(statuses.slice(0, 5)).toEqual([400, 400, 400, 400, 400]);
    expect(statuses.slice(5).sort((a, b) => a - b)).toEqual([400, 400, 400, 400, 429]);
  });

  it('are refused when they can no more be in time, and told when to come back', async () => {
    await start();
    const filling = await overload();
    const [openAi, anthropic] = await Promise.all([
      send('short', { 'x-request-timeout-ms': '100' }),
      ask(`${router.url}/v1/messages`, { body: chat() }),
    ]);
    for (const answer of [openAi, anthropic]) {
      expect(answer.status).toBe(429);
      expect(answer.headers['retry-after']).toMatch(/^[1-9]\d?$/);
      expect(answer.headers['x-request-id']).toBeDefined();
    }
    expect(errorOf(openAi)).toEqual({
      ...{ type: 'rate_limit_error', param: null, code: 'overloaded' },
      message: expect.stringContaining('Please try again'),
    });
    expect(JSON.parse(anthropic.body.toString())).toMatchObject({
      ...{ type: 'error', error: { type: 'overloaded_error', code: 'overloaded' } },
    });
    expect(await metric(router.url, 'vllm_router_shed_total', 'model="tiny"')).toBe(2);
    expect(await metric(router.url, 'vllm_router_rejections_total', 'overloaded')).toBe(2);
    await endAll(filling);
  });

  it('leave nothing behind when their clients leave', async () => {
    await start();
    const answers = await overload();
    const asking = { body: chat({ messages: [{ role: 'user', content: 'gone' }] }), headers: PATIENT };
    const gone = Array.from({ length: 5 }, () => begin(`${router.url}/v1/chat/completions`, asking));
    for (const sent of gone) sent.on('error', () => undefined);
    await whenHeld(6);
    for (const sent of gone) sent.destroy();
    await whenHeld(1);
    expect(await metric(router.url, 'vllm_router_client_disconnects_total')).toBe(4 + 5);
    refuseOldest();
    expect(contentOf(await next())).toBe('filling 3');
    await endAll(answers);
    expect(engines.unasked).toBe(0);
    await whenNothingIsHeld(router.url);
  });

  it('do not hold up what costs an engine nothing, nor what no engine serves', async () => {
    await start();
    const filling = await overload();
    const counting = ask(`${router.url}/tokenize`, { body: { model: 'tiny', prompt: 'a' } });
    refuse(await engines.next());
    expect((await counting).status).toBe(400);
    const unknown = await ask(`${router.url}/v1/chat/completions`, { body: chat({ model: 'none' }) });
    expect([unknown.status, errorOf(unknown).code]).toEqual([404, 'model_not_found']);
    await endAll(filling);
  });

  it('are answered when the router goes down, and those that an engine has end as they do', async () => {
    await start('--shutdown-delay', '0', '--shutdown-timeout', '10');
    const filling = await overload();
    const down = router.shutDown();
    const answer = await filling[3]!;
    expect([answer.status, errorOf(answer).code]).toEqual([503, 'shutting_down']);
    expect(answer.headers['retry-after']).toBe('1');
    while (open.length > 0) refuseOldest();
    expect((await Promise.all(filling)).map(({ status }) => status)).toEqual([400, 400, 400, 503]);
    await down;
  });
});

describe('the limit on requests under way', () => {
  it('is kept exactly, and one that is refused costs no engine', async () => {
    const engines = await ScriptedEngines.start(1);
    const backed = engines.urls.map((url) => ({ url, models: ['tiny'] }));
    const router = await startTestRouter(backed, ['--max-concurrent-requests', '2']);
    const send = () => ask(`${router.url}/v1/chat/completions`, { body: chat() });
    const answers = [send(), send()];
    const arrivals = [await engines.next(), await engines.next()];
    const refused = await send();
    expect([refused.status, errorOf(refused).code]).toEqual([503, 'overloaded']);
    expect(refused.headers['retry-after']).toMatch(/^[123]$/);
    for (const { socket } of arrivals) socket.write(sized('{"choices":[{"finish_reason":"stop"}]}'));
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200]);
    const again = send();
    (await engines.next()).socket.write(sized('{"choices":[{"finish_reason":"stop"}]}'));
    expect((await again).status).toBe(200);
    await whenNothingIsHeld(router.url);
    await router.close();
    await engines.stop();
  });
});
