// C2: what simulated time says of a policy holds for the real router. The same arrivals, whose prompts share beginnings, go
// through the strategy classes in virtual time, and in wall-clock time through a router process before HTTP engines
// (profile l4-8b, speed 1): times to first token and per token agree, and the policies rank alike.
//   --seconds 70    how long the requests arrive that are measured, at each of the loads
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Figures } from './figures.mjs';
import { ROOT, startRouter, startSimulatedEngine, staticFleet } from './processes.mjs';
import { replay } from './replay-arrivals.mjs';

const MODEL = 'sim';
const PROFILE = 'l4-8b';
const ENGINES = 3;
const POLICIES = ['prefixaware', 'roundrobin', 'leastload'];
/**
 * Of the 9 requests a second that all three policies sustain: above it the ends of queues differ from run to run. At 12 only
 * prefixaware keeps up, so that the ranking alone can be compared.
 */
const LOADS = [
  { name: '30 %', rate: 2.7, judges: 'times' },
  { name: '80 %', rate: 7.2, judges: 'times' },
  { name: '133 %', rate: 12, judges: 'ranking' },
];
/** 21,600 tokens in beginnings; the cache of an engine holds 27,000 in all, so where requests go decides what is hit. */
const PREFIXES = { count: 18, tokens: 1_200, share: 1 };
const OWN = { kind: 'uniform', least: 125, most: 375 };
const OUTPUT = { kind: 'uniform', least: 40, most: 80 };
/** Requests that fill caches and warm the processes up, then nothing until all engines are idle: both begin alike. */
const WARM_SECONDS = 10;
const PAUSE_SECONDS = 12;
const SCRAPE_SECONDS = 5;
/**
 * Policies that compare counts of requests turn on a millisecond, so that one run is one of many. What is compared with is
 * the mean of so many, in each of which every request comes some milliseconds late, as over a network.
 */
const VIRTUAL_RUNS = 8;
const MOST_DELAY_SECONDS = 0.005;
const MOST_PERCENT = 10;

const FIGURES = ['ttft', 'tpot'].flatMap((kind) => ['mean', 'median'].map((of) => ({ kind, of })));

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

const dist = (path) => import(join(ROOT, 'dist', path));

async function simulator() {
  const [{ poissonArrivals }, { seededRandom }, { latenciesOf, summaryOf }, { PROFILES }] = await Promise.all(
    ['virtual/arrivals', 'virtual/seeded-random', 'virtual/summary', 'model/engine-profile'].map((file) =>
      dist(`simulator/${file}.js`),
    ),
  );
  const { runStrategy } = await dist('what-if/runner/run-strategy.js');
  const { policyNamed } = await dist('what-if/policies.js');
  const engines = Array.from({ length: ENGINES }, () => PROFILES[PROFILE]);
  const inVirtualTime = (policy, { arrivals, measured }) =>
    Array.from({ length: VIRTUAL_RUNS }, (_, seed) => {
      const random = seededRandom(seed + 1);
      const late = arrivals.map((one) => ({ ...one, arrival: one.arrival + random() * MOST_DELAY_SECONDS }));
      const { results } = runStrategy({
        ...{ strategy: policyNamed(policy), engines, seed, scrapeSeconds: SCRAPE_SECONDS, until: 1e4 },
        arrivals: late.sort((a, b) => a.arrival - b.arrival),
      });
      return summaryOf(results.filter(({ request }) => measured.has(request.id)));
    });
  const requestsOf = (rate, seconds) => {
    const warm = Math.round(rate * WARM_SECONDS);
    const count = warm + Math.round(rate * seconds);
    const drawn = poissonArrivals({ seed: 7, rate, count, prompt: OWN, output: OUTPUT, prefixes: PREFIXES });
    const arrivals = [...drawn].map((one) =>
      one.id < warm ? one : { ...one, arrival: one.arrival + PAUSE_SECONDS },
    );
    return { arrivals, measured: new Set(arrivals.slice(warm).map(({ id }) => id)) };
  };
  return { requestsOf, latenciesOf, inVirtualTime };
}

/** Starts the processes of one policy; what it returns runs it and ends them. */
async function inWallClockTime(policy, { arrivals, measured }) {
  const engines = await Promise.all(
    Array.from({ length: ENGINES }, () =>
      startSimulatedEngine(['--model', MODEL, '--profile', PROFILE, '--speed', '1']),
    ),
  );
  const router = await startRouter([
    ...staticFleet(
      engines.map(({ url }) => url),
      MODEL,
    ),
    ...['--routing-logic', policy, '--engine-stats-interval', String(SCRAPE_SECONDS)],
  ]);
  return async () => {
    const times = await replay(router.url, MODEL, arrivals);
    for (const process of [router, ...engines]) process.kill();
    return times.filter((_, at) => measured.has(arrivals[at].id));
  };
}

function compare(figures, name, virtual, real) {
  for (const { kind, of } of FIGURES) {
    const runs = virtual.map((summary) => summary[kind][of] * 1e3);
    const [wanted, got] = [mean(runs), real[kind][of] * 1e3];
    const off = (got / wanted - 1) * 100;
    const range = `${Math.min(...runs).toFixed(1)} to ${Math.max(...runs).toFixed(1)}`;
    const value = `${got.toFixed(1)} ms, virtual ${wanted.toFixed(1)} (${range}), ${off.toFixed(1)} %`;
    const agrees = Math.abs(off) <= MOST_PERCENT;
    figures.check(`${name} ${kind} ${of}`, value, `within ${MOST_PERCENT} %`, agrees);
  }
}

/**
 * Pairs that differ by more than twice the tolerance in virtual time, as each of the two may be off by it, must stand in the
 * same order in wall-clock time.
 */
function compareRanking(figures, name, rows) {
  const order = (time) => [...rows].sort((a, b) => a[time] - b[time]);
  const pairs = rows.flatMap((a) => rows.map((b) => [a, b]));
  const clear = pairs.filter(([a, b]) => b.virtual > a.virtual * (1 + (2 * MOST_PERCENT) / 100));
  const turned = clear.filter(([a, b]) => a.real >= b.real);
  const told = (time) =>
    order(time)
      .map((row) => `${row.policy} ${(row[time] * 1e3).toFixed(0)}`)
      .join(' < ');
  figures.note(`${name} by mean ttft, virtual`, told('virtual'));
  const wanted = `${clear.length} clear pairs alike`;
  figures.check(`${name} by mean ttft, wall clock`, told('real'), wanted, turned.length === 0);
}

export async function show(args) {
  const { values } = parseArgs({ args, options: { seconds: { type: 'string', default: '70' } } });
  const seconds = Number(values.seconds);
  const figures = new Figures();
  const { requestsOf, latenciesOf, inVirtualTime } = await simulator();
  for (const { name, rate, judges } of LOADS) {
    const requests = requestsOf(rate, judges === 'times' ? seconds : seconds / 2);
    const told = `${requests.measured.size} requests, ${rate}/s`;
    console.log(`  load ${name}: ${told}, ${POLICIES.length} routers with ${ENGINES} engines each`);
    figures.note(name, told);
    const ready = await Promise.all(POLICIES.map((policy) => inWallClockTime(policy, requests)));
    const real = await Promise.all(ready.map((run) => run()));
    const rows = POLICIES.map((policy, at) => {
      const virtual = inVirtualTime(policy, requests);
      const times = latenciesOf(real[at]);
      if (judges === 'times') compare(figures, `${name} ${policy}`, virtual, times);
      return { policy, virtual: mean(virtual.map(({ ttft }) => ttft.mean)), real: times.ttft.mean };
    });
    compareRanking(figures, name, rows);
  }
  return figures;
}
