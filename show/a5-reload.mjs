// A5: the dynamic file changes under load (20 streams open all the time, 200 requests a second). An engine is
// added, one removed, the strategy changed; then five broken files. No request may fail, streams on the removed
// engine included, and /health and /metrics tell each outcome.
//   --rate 200   requests per second
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Figures, spread } from './figures.mjs';
import { LoadClient, StreamTally } from './load-client.mjs';
import { atEnd, startRouter, startSimulatedEngine, staticFleet, until } from './processes.mjs';
import { health, metrics, sumOf } from './router-state.mjs';

const MODEL = 'simulated';
const STREAMS = 20;
const STREAM_TOKENS = 400;
const TOKEN_MS = 40;
/** The load goes on for this long after each outcome, so that what it breaks is seen. */
const SETTLE_MS = 700;
const RELOADS = 'vllm_router_config_reloads_total';

const body = (stream, tokens) =>
  JSON.stringify({
    model: MODEL,
    stream,
    max_tokens: tokens,
    messages: [{ role: 'user', content: 'Tell me about routers.' }],
  });

/** Sends `rate` requests a second, whatever becomes of them, until it is stopped. */
function steadyLoad(client, rate) {
  const load = { sent: 0, times: [], failures: [], stop: () => {} };
  const startedAt = performance.now();
  const open = new Set();
  const one = () => {
    const number = (load.sent += 1);
    const headers = { 'x-user-id': `user-${number % 50}` };
    const sent = client
      .request({ path: '/v1/chat/completions', headers, body: body(false, 1) })
      .answer.then((answer) => {
        if (answer.status === 200) load.times.push(answer.ms);
        else load.failures.push(`${answer.status} ${answer.body.toString().slice(0, 200)}`);
      })
      .catch((error) => load.failures.push(error.message))
      .finally(() => open.delete(sent));
    open.add(sent);
  };
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) * rate) / 1000;
    while (load.sent < due) one();
  }, 2);
  load.stop = async () => {
    clearInterval(timer);
    load.seconds = (performance.now() - startedAt) / 1000;
    await Promise.all(open);
  };
  return load;
}

function openStreams(client) {
  return Array.from({ length: STREAMS }, () => {
    const tally = new StreamTally();
    const request = { path: '/v1/chat/completions', body: body(true, STREAM_TOKENS) };
    const { answer } = client.request({ ...request, onBody: (bytes) => tally.add(bytes) });
    const end = answer.then(
      ({ status }) =>
        status === 200 && tally.done && tally.error === null ? null : (tally.error ?? `${status}`),
      (error) => error.message,
    );
    return { tally, end };
  });
}

const statsOf = async (engine) => (await fetch(`${engine.url}/sim/stats`)).json();
/** The load's requests are over in a moment; what is still running after many looks is a stream. */
const streamsOn = async (engine) => {
  const looks = [];
  for (let n = 0; n < 10; n += 1) looks.push((await statsOf(engine)).running);
  return Math.min(...looks);
};
const requestsAt = async (engine) => (await statsOf(engine)).requestCount;

export async function show(args) {
  const { values } = parseArgs({ args, options: { rate: { type: 'string', default: '200' } } });
  const figures = new Figures();
  const folder = mkdtempSync(join(tmpdir(), 'vllm-router-a5-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'dynamic.json');
  const [a, b, c] = await Promise.all(
    [1, 2, 3].map(() => startSimulatedEngine(['--model', MODEL, '--itl', String(TOKEN_MS)])),
  );
  // A rename is how a file is replaced without being seen half written.
  const put = (content) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  const fleet = (...engines) => ({
    service_discovery: 'static',
    routing_logic: 'roundrobin',
    static_backends: engines.map(({ url }) => url).join(','),
    static_models: engines.map(() => MODEL).join(','),
  });
  put(fleet(a, b));
  const router = await startRouter([
    ...staticFleet([a.url, b.url], MODEL),
    ...['--routing-logic', 'roundrobin'],
    ...['--dynamic-config-json', file, '--dynamic-config-interval', '0.2'],
  ]);

  const client = new LoadClient(router.url);
  const streams = openStreams(client);
  await until('all streams have begun', async () => streams.every(({ tally }) => tally.frames > 1));
  const load = steadyLoad(client, Number(values.rate));
  await sleep(SETTLE_MS);

  let outcomes = sumOf(await metrics(router), RELOADS);
  let inForce = null;
  /** Puts a file there, waits until /health tells the outcome, and compares /metrics with it. */
  const reload = async (name, content, outcome, told) => {
    const before = sumOf(await metrics(router), RELOADS, `outcome="${outcome}"`);
    put(content);
    const startedAt = performance.now();
    let state = await health(router);
    await until(
      `/health tells: ${name}`,
      async () => {
        state = await health(router);
        const error = state.dynamic_config_state.last_error;
        return outcome === 'applied'
          ? error === null && told(state.dynamic_config)
          : told(error?.message ?? '');
      },
      5_000,
    ).catch(() => undefined);
    const took = `${Math.round(performance.now() - startedAt)} ms`;
    const samples = await metrics(router);
    const counted =
      sumOf(samples, RELOADS, `outcome="${outcome}"`) === before + 1 &&
      sumOf(samples, RELOADS) === outcomes + 1;
    outcomes += 1;
    const success = samples.get('vllm_router_config_last_reload_success');
    const error = state.dynamic_config_state.last_error?.message ?? null;
    const health_ =
      outcome === 'applied'
        ? told(state.dynamic_config) && error === null
        : error !== null && told(error) && JSON.stringify(state.dynamic_config) === inForce;
    const metrics_ = counted && success === (outcome === 'applied' ? 1 : 0);
    if (outcome === 'applied') inForce = JSON.stringify(state.dynamic_config);
    const value = `after ${took}${error === null ? '' : `: ${error.slice(0, 60)}`}`;
    const holds = health_ && metrics_ && state.status === 'healthy';
    figures.check(name, value, `${outcome}, both tell`, holds);
    await sleep(SETTLE_MS);
  };
  const backendsAre =
    (...engines) =>
    (config) =>
      config?.static_backends === engines.map(({ url }) => url).join(',');
  await reload('engine C added', fleet(a, b, c), 'applied', backendsAre(a, b, c));
  figures.check('requests that C got', await requestsAt(c), '> 0', (await requestsAt(c)) > 0);

  figures.check('streams on A when it is removed', await streamsOn(a), '> 0', (await streamsOn(a)) > 0);
  await reload('engine A removed', fleet(b, c), 'applied', backendsAre(b, c));
  const atRemoval = await requestsAt(a);
  await sleep(SETTLE_MS);
  figures.equal('requests that A got after that', (await requestsAt(a)) - atRemoval, 0);

  const sessions = { ...fleet(b, c), routing_logic: 'session', session_key: 'x-user-id' };
  await reload('strategy: session', sessions, 'applied', (config) => config?.routing_logic === 'session');

  const broken = (name, content, told) => reload(name, content, 'rejected', told);
  const { session_key: _, ...noSessionKey } = sessions;
  const { routing_logic: __, ...noLogic } = sessions;
  await broken('broken 1: bad JSON', '{"service_discovery": "static",', (error) => error.includes('JSON'));
  await broken('broken 2: unknown key', { ...sessions, colour: 'red' }, (error) => error.includes('colour'));
  await broken('broken 3: no routing_logic', noLogic, (error) => error.includes('routing_logic'));
  await broken('broken 4: bad URL', { ...sessions, static_backends: 'ftp://nowhere,http://' }, (error) =>
    error.includes('static_backends'),
  );
  await broken('broken 5: no session_key', noSessionKey, (error) => error.includes('session_key'));
  await reload('the good file again, one key more', { ...sessions, k8s_port: 8100 }, 'applied', (config) => {
    return config?.k8s_port === 8100;
  });

  const still = streams.filter(({ tally }) => !tally.done).length;
  figures.equal('streams open to the last change', still, STREAMS);
  await load.stop();
  const ends = await Promise.all(streams.map(({ end }) => end));
  figures.equal('streams that failed', ends.filter((end) => end !== null).join('; ') || 0, 0);
  const frames = streams.map(({ tally }) => tally.frames);
  figures.note('frames of each stream', `${Math.min(...frames)} to ${Math.max(...frames)}`);
  figures.note('requests sent', `${load.sent} in ${load.seconds.toFixed(1)} s`);
  figures.check('requests that failed', load.failures.length, '0', load.failures.length === 0);
  if (load.failures.length > 0) figures.note('first failure', load.failures[0]);
  figures.note('answer time p50 / p99 / max', spread(load.times));
  for (const running of [router, a, b, c]) await running.stop();
  return figures;
}
