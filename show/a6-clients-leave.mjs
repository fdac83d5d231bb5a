// A6: 200 clients leave in the middle of a stream and 200 before the answer (half of them had asked for a stream),
// all at once, half by closing and half by a reset. Measured at the engine: how long after its client each request
// is gone. Then every in-flight gauge of the router must be 0.
//   --clients 200   of each kind
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { nowMicros } from './clock.mjs';
import { Figures, spread } from './figures.mjs';
import { LoadClient } from './load-client.mjs';
import { startLightEngine, startRouter, staticFleet, until } from './processes.mjs';
import { IN_FLIGHT_GAUGES, metrics, sumOf } from './router-state.mjs';

const MODEL = 'light';

/** Opens a request that will not end by itself. `begun` resolves when the answer has begun to come. */
function open(client, id, fields) {
  let begun;
  const hasBegun = new Promise((resolve) => (begun = resolve));
  const exchange = client.request({
    path: '/v1/chat/completions',
    headers: { 'x-request-id': id },
    body: JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'hello' }], ...fields }),
    onBody: () => begun(),
  });
  exchange.answer.catch(() => undefined);
  return { id, leave: exchange.leave, hasBegun, leftAt: 0 };
}

const requestsAt = async (engines) =>
  (await Promise.all(engines.map(async ({ url }) => (await fetch(`${url}/light/requests`)).json()))).flatMap(
    ({ requests }) => requests,
  );

export async function show(args) {
  const { values } = parseArgs({ args, options: { clients: { type: 'string', default: '200' } } });
  const count = Number(values.clients);
  const figures = new Figures();
  const engines = await Promise.all(
    [1, 2].map(() => startLightEngine(['--model', MODEL, '--interval', '50'])),
  );
  const urls = engines.map(({ url }) => url);
  const router = await startRouter([...staticFleet(urls, MODEL), ...['--routing-logic', 'roundrobin']]);
  const client = new LoadClient(router.url);

  const numbers = Array.from({ length: count }, (_, number) => number);
  const streaming = numbers.map((n) => open(client, `stream-${n}`, { stream: true, max_tokens: 100_000 }));
  const waiting = numbers.map((n) => open(client, `wait-${n}`, { hold: true, stream: n % 2 === 0 }));
  await Promise.all(streaming.map(({ hasBegun }) => hasBegun));
  const openAt = (all) => all.filter(({ closedAt }) => closedAt === null).length;
  await until('all requests are at the engines', async () => openAt(await requestsAt(engines)) === 2 * count);
  figures.equal('in flight by /metrics before', sumOf(await metrics(router), IN_FLIGHT_GAUGES[0]), 2 * count);

  const leavers = [...streaming, ...waiting];
  const startedAt = nowMicros();
  leavers.forEach((leaver, n) => {
    leaver.leftAt = nowMicros();
    leaver.leave(n % 4 < 2 ? 'fin' : 'reset');
  });
  figures.note('all clients left within', `${((nowMicros() - startedAt) / 1000).toFixed(1)} ms`);
  await sleep(1_000);

  const atEngines = new Map((await requestsAt(engines)).map((entry) => [entry.id, entry]));
  const lateness = (leaver) => {
    const { closedAt } = atEngines.get(leaver.id) ?? {};
    return closedAt == null ? Infinity : (closedAt - leaver.leftAt) / 1000;
  };
  for (const [name, group] of [
    ['mid-stream', streaming],
    ['before the answer', waiting],
  ]) {
    const times = group.map(lateness);
    figures.note(`left ${name}: gone p50 / p99 / max`, spread(times));
    figures.below(`left ${name}: slowest of ${count}`, Math.max(...times), 1_000, 'ms');
  }
  figures.equal('requests still at the engines', openAt([...atEngines.values()]), 0);
  const samples = await metrics(router);
  for (const gauge of IN_FLIGHT_GAUGES) figures.equal(gauge, sumOf(samples, gauge), 0);
  figures.equal(
    'requests counted as client_left',
    sumOf(samples, 'vllm_router_requests_total', 'client_left'),
    2 * count,
  );
  for (const running of [router, ...engines]) await running.stop();
  return figures;
}
