// D3: one of three engine processes is stopped with SIGSTOP under load. The kernel goes on accepting its connections, and
// nothing else happens. It is to be ejected within --stall-timeout, what it had not begun to answer is to be answered
// elsewhere, its streams go on when SIGCONT comes before --idle-timeout and end in an error event otherwise, and it is to
// get requests again within 10 s of SIGCONT. Nothing else fails.
//   --stall 20     seconds of --stall-timeout
//   --idle 32      seconds of --idle-timeout, longer than the first stop and shorter than the second
//   --workers 1    processes of the router
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Figures, spread } from './figures.mjs';
import { LoadClient } from './load-client.mjs';
import { startRouter, startSimulatedEngine, staticFleet, until } from './processes.mjs';
import { IN_FLIGHT_GAUGES, metrics, sumOf } from './router-state.mjs';

const MODEL = 'sim';
/** Requests that come each second, and streams that are open. */
const RATE = 30;
const STREAMS = 30;

const seconds = (since) => ((performance.now() - since) / 1000).toFixed(1);

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: {
      stall: { type: 'string', default: '20' },
      idle: { type: 'string', default: '32' },
      workers: { type: 'string', default: '1' },
    },
  });
  const [stall, idle] = [Number(values.stall), Number(values.idle)];
  const figures = new Figures();
  const flags = ['--model', MODEL, '--ttft', '30', '--itl', '20'];
  const engines = await Promise.all([1, 2, 3].map(() => startSimulatedEngine(flags)));
  const urls = engines.map(({ url }) => url);
  const router = await startRouter([
    ...staticFleet(urls, MODEL),
    ...['--routing-logic', 'roundrobin', '--workers', values.workers],
    ...['--stall-timeout', values.stall, '--idle-timeout', values.idle],
  ]);
  const client = new LoadClient(router.url);
  const [victim] = engines;

  /** Every answer: when it was asked and ended, its status and how it ended. */
  const short = [];
  const streams = [];
  const ask = (fields, into) => {
    const one = { askedAt: performance.now(), endedAt: 0, status: 0, error: null, text: '' };
    into.push(one);
    const { answer } = client.request({
      path: '/v1/chat/completions',
      body: JSON.stringify({ model: MODEL, messages: [{ role: 'user', content: 'hello' }], ...fields }),
      onBody: (piece) => (one.text = (one.text + piece.toString()).slice(-2_000)),
    });
    return answer
      .then(({ status }) => (one.status = status))
      .catch((error) => (one.error = error.message))
      .finally(() => (one.endedAt = performance.now()));
  };
  const openStreams = (tokens) => {
    for (let n = 0; n < STREAMS; n++)
      void ask({ stream: true, max_tokens: tokens, ignore_eos: true }, streams);
  };
  const load = setInterval(() => void ask({ max_tokens: 10, ignore_eos: true }, short), 1_000 / RATE);
  const stateOf = async (state) =>
    sumOf(await metrics(router), 'vllm_router_engine_state', `engine="${victim.url}",state="${state}"`);
  const usable = async () =>
    (await stateOf('ready')) + (await stateOf('suspect')) + (await stateOf('probing')) > 0;
  const sentToVictim = async () =>
    sumOf(await metrics(router), 'vllm_router_requests_total', `engine="${victim.url}"`);
  const ended = (all) => all.every(({ endedAt }) => endedAt > 0);
  const good = ({ status, text, error }) => error === null && status === 200 && text.includes('[DONE]');

  try {
    // A stop that ends in time.
    await sleep(3_000);
    openStreams(2_500);
    await sleep(2_000);
    victim.kill('SIGSTOP');
    const stoppedAt = performance.now();
    await until('the stopped engine is ejected', async () => !(await usable()), (stall + 20) * 1_000);
    const found = (performance.now() - stoppedAt) / 1_000;
    figures.check('ejected after SIGSTOP', `${found.toFixed(1)} s`, `< ${stall + 1} s`, found < stall + 1);
    await sleep(Math.max(0, (idle - 6) * 1_000 - (performance.now() - stoppedAt)));
    const waiting = short.filter(({ endedAt }) => endedAt === 0).length;
    figures.note('stopped for', `${seconds(stoppedAt)} s, ${waiting} requests wait at its end`);
    const before = await sentToVictim();
    victim.kill('SIGCONT');
    const goesOnAt = performance.now();
    await until('it gets requests again', async () => (await sentToVictim()) > before + STREAMS, 30_000);
    figures.below('in rotation again after SIGCONT', performance.now() - goesOnAt, 10_000, 'ms');
    await until('all streams have ended', () => ended(streams), 120_000);
    figures.equal(
      'streams that were open over the stop and ended whole',
      streams.filter(good).length,
      STREAMS,
    );

    // One that lasts longer than streams wait.
    const later = streams.length;
    openStreams(2_500);
    await sleep(2_000);
    victim.kill('SIGSTOP');
    await until('all streams have ended', () => ended(streams), (idle + 90) * 1_000);
    victim.kill('SIGCONT');
    const second = streams.slice(later);
    const cut = second.filter(({ text }) => text.includes('idle_timeout') && !text.includes('[DONE]'));
    figures.equal('streams of the other engines, whole', second.filter(good).length, STREAMS - cut.length);
    figures.check('streams of the stopped one, ended in the error event', cut.length, '> 0', cut.length > 0);
    await until('it gets requests again', usable, 10_000);
  } finally {
    clearInterval(load);
  }
  await until('all requests have ended', () => ended(short), 60_000);
  const bad = short.filter(({ status, error }) => status !== 200 || error !== null);
  figures.equal(`of ${short.length} short requests failed`, bad.length, 0);
  for (const { status, error, text } of bad.slice(0, 5))
    figures.note('one of them', error ?? `${status} ${text}`);
  const took = short.map(({ askedAt, endedAt }) => endedAt - askedAt);
  figures.note('short requests, p50 / p99 / max', spread(took));
  const samples = await metrics(router);
  const moved = sumOf(samples, 'vllm_router_retries_total', 'cause="stalled"');
  figures.check('requests that went on elsewhere', moved, '> 0', moved > 0);
  const causes = [...samples.keys()].filter((name) => name.startsWith('vllm_router_retries_total'));
  figures.note('causes of retries', causes.map((name) => /cause="([^"]+)"/.exec(name)?.[1]).join(', '));
  for (const gauge of IN_FLIGHT_GAUGES) figures.equal(gauge, sumOf(samples, gauge), 0);
  for (const running of [router, ...engines]) await running.stop();
  return figures;
}
