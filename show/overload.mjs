// What the shows of overload have in common: simulated engines, a router before them, and clients that stream, judge
// each answer by its times and come back when they are told to.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LoadClient } from './load-client.mjs';
import { ROOT, startRouter, startSimulatedEngine, staticFleet } from './processes.mjs';

const MODEL = 'sim';
const PROFILE = 'l4-8b';
const ENGINES = 3;
/** Engines are so many times faster than an L4, and the targets of its profile (4 s and 150 ms) shorter. */
const SPEED = 2;
export const TARGETS = { ttft: 2, tpot: 0.075 };
const PROMPT = { kind: 'uniform', least: 125, most: 375 };
const OUTPUT = { kind: 'uniform', least: 40, most: 80 };

const dist = (path) => import(join(ROOT, 'dist', path));

/** The arrivals of some seconds, a Poisson process; prompts that share nothing. */
export async function arrivalsOf({ seed, rate, seconds, tenant = '' }) {
  const { poissonArrivals } = await dist('simulator/virtual/arrivals.js');
  const count = Math.round(rate * seconds);
  const drawn = poissonArrivals({ seed, rate, count, prompt: PROMPT, output: OUTPUT });
  return [...drawn].map(({ arrival, spec }) => ({
    ...{ arrival, tenant, tokens: spec.maxTokens },
    body: JSON.stringify({
      ...{ model: MODEL, stream: true, stream_options: { include_usage: true } },
      ...{ max_tokens: spec.maxTokens, prompt: [...spec.promptTokens] },
    }),
  }));
}

/** Engines and a router of their own; `gate` has the router's further flags. */
export async function startFleet(gate) {
  const engines = await Promise.all(
    Array.from({ length: ENGINES }, () =>
      startSimulatedEngine(['--model', MODEL, '--profile', PROFILE, '--speed', String(SPEED)]),
    ),
  );
  const urls = engines.map(({ url }) => url);
  const flags = ['--routing-logic', 'leastload', ...gate];
  const router = await startRouter([...staticFleet(urls, MODEL), ...flags]);
  return { url: router.url, stop: () => Promise.all([router, ...engines].map((one) => one.stop())) };
}

/** The flags that turn the gate on. */
export const GATE = ['--ttft-target', String(TARGETS.ttft), '--tpot-target', String(TARGETS.tpot)];

/**
 * Sends requests at their times; each of them is one or more tries, as often as its client comes back. Resolves when
 * all are answered, or at `until` seconds with what has been until then.
 *
 * @returns tries with their times in seconds since the start
 */
export async function drive(url, arrivals, { returns = 0, until = Infinity } = {}) {
  const client = new LoadClient(url);
  const start = performance.now();
  const now = () => (performance.now() - start) / 1e3;
  const tries = [];
  const attempt = async (request, number) => {
    const one = { tenant: request.tenant, number, sentAt: now(), status: 0, retryAfter: null };
    Object.assign(one, { firstToken: null, end: null, tokens: request.tokens, bytes: 0 });
    tries.push(one);
    const onBody = (bytes) => {
      if (one.firstToken === null && bytes.indexOf('"text"') >= 0) one.firstToken = now();
    };
    const headers = request.tenant === '' ? {} : { 'x-tenant': request.tenant };
    try {
      const asked = { path: '/v1/completions', body: request.body, headers, onBody };
      const { status, headers: told } = await client.request(asked).answer;
      one.status = status;
      one.end = now();
      if (status !== 429 && status !== 503) return;
      one.retryAfter = Number(told.get('retry-after'));
    } catch {
      one.end = now();
      return;
    }
    if (number > returns) return;
    await sleep(one.retryAfter * 1e3);
    await attempt(request, number + 1);
  };
  const all = [];
  for (const request of arrivals) {
    const wait = request.arrival * 1e3 - (performance.now() - start);
    if (wait > 0) await sleep(wait);
    all.push(attempt(request, 1));
  }
  const left = until - now();
  await Promise.race([Promise.all(all), ...(left < 1e6 ? [sleep(Math.max(0, left) * 1e3)] : [])]);
  return tries;
}

/** Whether an answer came within both targets. */
export function meets({ status, sentAt, firstToken, end, tokens }) {
  if (status !== 200 || firstToken === null) return false;
  return firstToken - sentAt <= TARGETS.ttft && (end - firstToken) / (tokens - 1) <= TARGETS.tpot;
}

/** Answers within the targets for each second, of the tries that were sent in a span of time. */
export function goodput(tries, from, to) {
  return tries.filter((one) => one.sentAt >= from && one.sentAt < to && meets(one)).length / (to - from);
}

/** Offered loads, a second, for some seconds each; what comes before engines have found their pace is not judged. */
const LADDER = { loads: [35, 38, 41, 44], seconds: 45, warm: 20 };

/**
 * The load that engines alone sustain: the most goodput of any offered load, without a gate.
 * @param told what the user says that it is, answers a second; 0 measures it
 */
export async function capacityOf(figures, told) {
  if (told > 0) return told;
  let capacity = 0;
  for (const rate of LADDER.loads) {
    const fleet = await startFleet([]);
    const arrivals = await arrivalsOf({ seed: 11, rate, seconds: LADDER.seconds });
    const tries = await drive(fleet.url, arrivals, { until: LADDER.seconds + 8 });
    await fleet.stop();
    const good = goodput(tries, LADDER.warm, LADDER.seconds);
    console.log(`  without a gate, ${rate}/s offered: ${good.toFixed(1)}/s within the targets`);
    figures.note(`without a gate, ${rate}/s offered`, `${good.toFixed(1)}/s within the targets`);
    if (good < capacity) break;
    capacity = good;
  }
  return capacity;
}
