import { setTimeout as pause } from 'node:timers/promises';
import { ask, begin, chat, errorOf, headOf } from '../support/http-client.js';
import { metric } from '../support/router-metrics.js';
import { type RouterProcess, startRouterProcess } from '../support/router-process.js';
import { chunk, chunkedHead, ScriptedEngines } from '../support/scripted-engine.js';
import { until } from '../support/until.js';

const FRAME = 'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n';

describe('overload before several workers', () => {
  let engines: ScriptedEngines;
  let router: RouterProcess;

  beforeEach(async () => {
    engines = await ScriptedEngines.start(1);
  });
  afterEach(async () => {
    await router.kill();
    await engines.stop();
  });

  const start = async (...flags: string[]): Promise<void> => {
    const backed = engines.urls.map((url) => ({ url, models: ['tiny'] }));
    router = await startRouterProcess(backed, ['--workers', '2', ...flags]);
  };
  const stream = () =>
    begin(`${router.url}/v1/chat/completions`, { body: { ...chat(), stream: true } }).on('error', () => {});

  it('counts the requests of all of them against --max-concurrent-requests', async () => {
    await start('--max-concurrent-requests', '2');
    const heads = [stream(), stream()].map(headOf);
    for (let at = 0; at < 2; at++) {
      const { socket } = await engines.next();
      socket.write(Buffer.concat([Buffer.from(chunkedHead('text/event-stream')), chunk(FRAME)]));
    }
    await Promise.all(heads);
    // Connections go to the workers in turn: both must have heard of what the other one has.
    for (let refused = 0; refused < 4;) {
      const sent = begin(`${router.url}/v1/chat/completions`, { body: chat() }).on('error', () => {});
      let status = 0;
      sent.on('response', ({ statusCode }) => (status = statusCode ?? 0));
      await until(() => status > 0 || engines.unasked > 0);
      if (engines.unasked > 0) await engines.next();
      sent.destroy();
      refused = status === 503 ? refused + 1 : 0;
    }
    const answer = await ask(`${router.url}/v1/chat/completions`, { body: chat() });
    expect([answer.status, errorOf(answer).code]).toEqual([503, 'overloaded']);
  });

  it('has a gate in each of them, and tells of all in one', async () => {
    await start('--ttft-target', '0.2');
    const streams = Array.from({ length: 24 }, stream);
    const heads = streams.map(headOf);
    const sockets = [];
    while (sockets.length < 24) sockets.push((await engines.next()).socket);
    await pause(200);
    for (const socket of sockets) {
      socket.write(Buffer.concat([Buffer.from(chunkedHead('text/event-stream')), chunk(FRAME)]));
    }
    await Promise.all(heads);
    const name = 'vllm_router_in_flight_limit_tokens';
    // Each had some of them, of 400 tokens and more, and cuts them by three tenths: the sum is that of all.
    await until(async () => (await metric(router.url, name, 'model="tiny"')) > 24 * 0.7 * 400);
    for (const sent of streams) sent.destroy();
  });
});
