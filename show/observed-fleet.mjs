// A router with everything on that has figures of its own, before simulated engines, under traffic in which all of it
// happens: retries, hedges, continued streams, refusals, ejections, reloads, clients that leave.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadClient } from './load-client.mjs';
import { atEnd, ROOT, Running, startRouter, startSimulatedEngine, staticFleet } from './processes.mjs';

const MODEL = 'sim';
/** An L4, fast enough for much to happen in a minute, and slow enough to be overloaded. */
const ENGINE = ['--model', MODEL, '--profile', 'l4-8b', '--speed', '10', '--enable-prompt-tokens-details'];

const FLAGS = [
  ...['--workers', '2', '--routing-logic', 'prefixaware', '--hedge', '--stream-failover', 'continue'],
  ...['--ttft-target', '0.4', '--max-held-requests', '20', '--max-connections', '2000'],
  ...['--engine-stats-interval', '1', '--request-stats-window', '15', '--dynamic-config-interval', '0.5'],
  ...['--log-level', 'info'],
  // Nobody listens there.
  ...['--otel-endpoint', '127.0.0.1:9'],
];

/** Streams that go on all the time. */
const STEADY = 8;
/** Requests that come at once, more than are held and in time. */
const BURST = 120;
/** Between two things that happen, milliseconds. */
const PACE_MS = 400;
const LEAVE_AFTER_MS = 60;

const words = (seed, count) =>
  Array.from({ length: count }, (_, at) => `w${(seed * 7919 + at) % 997}`).join(' ');

/** A chat whose prompt begins as that of others does and ends in its own way. */
const chat = (number, { model = MODEL, tokens = 24, stream = true, own = 40, ...more } = {}) =>
  JSON.stringify({
    ...{ model, max_tokens: tokens, stream, ...more },
    ...(stream && { stream_options: { include_usage: true } }),
    messages: [
      { role: 'system', content: words(number % 3, 300) },
      { role: 'user', content: words(number, own) },
    ],
  });

/** An engine on this port. */
async function startThird(port) {
  const argv = [join(ROOT, 'dist', 'main.js'), 'engine', '--port', String(port), ...ENGINE];
  const engine = new Running(process.execPath, argv);
  await engine.says(/"url":"/);
  return engine;
}

/** `{ url, engines, stop }`; the traffic goes on until `stop`. */
export async function startObservedFleet() {
  const folder = mkdtempSync(join(tmpdir(), 'vllm-router-observed-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const engines = await Promise.all([1, 2].map(() => startSimulatedEngine(ENGINE)));
  // The third one comes and goes, on a port that stays.
  let third = await startSimulatedEngine(ENGINE);
  const urls = [...engines, third].map(({ url }) => url);
  const file = join(folder, 'dynamic.json');
  const fleet = { service_discovery: 'static', routing_logic: 'prefixaware' };
  writeFileSync(file, JSON.stringify(fleet));
  const log = join(folder, 'decisions.jsonl');
  const router = await startRouter([
    ...[...staticFleet(urls, MODEL), ...FLAGS],
    ...['--dynamic-config-json', file, '--decision-log', log],
  ]);

  const client = new LoadClient(router.url);
  let over = false;
  let number = 0;
  let answered = 0;
  const send = (fields, headers = {}) => {
    const body = chat((number += 1), fields);
    const { answer, leave } = client.request({ path: '/v1/chat/completions', body, headers });
    return { answer: answer.then(() => (answered += 1)).catch(() => {}), leave };
  };
  const fault = (engine, what) =>
    fetch(`${engine.url}/sim/fault`, { method: 'POST', body: JSON.stringify(what) }).catch(() => {});
  const steady = async () => {
    while (!over) {
      await send({ stream: number % 5 !== 0 }).answer;
      await sleep(10);
    }
  };
  const happenings = [
    () => fault(engines[0], { status: 503, times: 3 }),
    () => fault(engines[1], { reset: 'after-frames', frames: 3, times: 3 }),
    () => fault(engines[0], { slowHead: 1500, times: 3 }),
    () => fault(engines[1], { status: 500, times: 4, on: '/metrics' }),
    // The header goes to every engine that is tried.
    () => send({}, { 'x-sim-fault': JSON.stringify({ reset: 'before-head' }) }),
    // An answer with log probabilities cannot be continued.
    () => send({ logprobs: true }, { 'x-sim-fault': JSON.stringify({ reset: 'after-frames', frames: 3 }) }),
    () => send({ model: 'nobody-has-it' }),
    async () => {
      const { leave, answer } = send({ tokens: 200 });
      await sleep(LEAVE_AFTER_MS);
      leave();
      await answer;
    },
    () => Promise.all(Array.from({ length: BURST }, () => send({ tokens: 60, own: 400 }).answer)),
    () => writeFileSync(file, JSON.stringify({ ...fleet, session_key: `x-${number}` })),
    () => third.stop(),
    () => sleep(2_000),
    async () => (third = await startThird(new URL(urls[2]).port)),
  ];
  const changes = async () => {
    for (let at = 0; !over; at = (at + 1) % happenings.length) {
      await happenings[at]();
      await sleep(PACE_MS);
    }
  };
  const traffic = Promise.all([changes(), ...Array.from({ length: STEADY }, steady)]);
  return {
    url: router.url,
    engines: urls,
    get answered() {
      return answered;
    },
    stop: async () => {
      over = true;
      await traffic;
      await Promise.all([router, ...engines, third].map((one) => one.stop()));
    },
  };
}
