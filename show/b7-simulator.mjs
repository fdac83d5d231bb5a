// B7: what the simulated engine costs, and whether it keeps its own time. (a) Many streams from one engine process: chunks
// for each second of the engine's CPU. (b) The same arrivals through HTTP in wall-clock time and through virtual time
// agree on time to first token and time per token.
//   --only cost|agreement     one half of it
//   --seconds 30              length of each of the two runs of (b)
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Figures } from './figures.mjs';
import { ROOT, startSimulatedEngine } from './processes.mjs';
import { readStreams } from './raw-streams.mjs';
import { replay } from './replay-arrivals.mjs';

const MODEL = 'sim';
const STREAMS = 500;
const TOKENS = 300;
const ITL_MS = 20;
/** Requests a second: 30 % and 80 % of the 5.4 that an l4-8b manages with these lengths. */
const LOADS = [
  { name: '30 %', rate: 1.6 },
  { name: '80 %', rate: 4.3 },
];

const cpuOf = async (url) => (await (await fetch(`${url}/sim/stats`)).json()).cpuSeconds;

async function cost(figures) {
  const engine = await startSimulatedEngine(['--model', MODEL, '--itl', String(ITL_MS)]);
  const { hostname, port } = new URL(engine.url);
  const messages = [{ role: 'user', content: 'go' }];
  const load = (tokens) => ({
    host: hostname,
    port: Number(port),
    path: '/v1/chat/completions',
    body: JSON.stringify({ model: MODEL, stream: true, max_tokens: tokens, messages }),
    streams: STREAMS,
  });
  // The code is compiled and the connections' start is paid before anything is counted.
  await readStreams(load(50));
  const before = await cpuOf(engine.url);
  const begun = performance.now();
  const { events, bytes } = await readStreams(load(TOKENS));
  const seconds = (performance.now() - begun) / 1e3;
  const cpu = (await cpuOf(engine.url)) - before;
  engine.kill();
  figures.note('streams at once, tokens each', `${STREAMS}, ${TOKENS} every ${ITL_MS} ms`);
  figures.note('chunks counted by the client', `${events} (${(bytes / 1e6).toFixed(0)} MB)`);
  figures.note('pace that was kept', `${Math.round(events / seconds)} chunks/s`);
  figures.note("engine's CPU", `${cpu.toFixed(2)} s, ${((cpu / events) * 1e6).toFixed(1)} us a chunk`);
  const rate = Math.round(events / cpu);
  figures.check('chunks for each second of CPU', rate, '>= 50000', rate >= 50_000);
}

async function agreement(figures, seconds) {
  const load = async (path) => import(join(ROOT, 'dist', 'simulator', path));
  const { poissonArrivals } = await load('virtual/arrivals.js');
  const { simulate } = await load('virtual/simulate.js');
  const { latenciesOf, summaryOf } = await load('virtual/summary.js');
  const { PROFILES } = await load('model/engine-profile.js');
  for (const { name, rate } of LOADS) {
    const arrivals = [
      ...poissonArrivals({
        ...{ seed: 7, rate, count: Math.round(rate * seconds) },
        prompt: { kind: 'uniform', least: 100, most: 600 },
        output: { kind: 'uniform', least: 20, most: 120 },
        prefixes: { count: 4, tokens: 160, share: 0.5 },
      }),
    ];
    const virtual = simulate({ engines: [PROFILES['l4-8b']], arrivals, choose: () => 0 });
    const engine = await startSimulatedEngine(['--model', MODEL, '--profile', 'l4-8b', '--speed', '1']);
    const real = await replay(engine.url, MODEL, arrivals);
    engine.kill();
    const [expected, measured] = [summaryOf(virtual.results), latenciesOf(real)];
    figures.note(`load ${name}`, `${arrivals.length} requests, ${rate}/s`);
    for (const kind of ['ttft', 'tpot']) {
      for (const figure of ['mean', 'median']) {
        const [wanted, got] = [expected[kind][figure], measured[kind][figure]];
        const off = (got / wanted - 1) * 100;
        const value = `${(got * 1e3).toFixed(1)} ms, virtual ${(wanted * 1e3).toFixed(1)} ms, ${off.toFixed(2)} %`;
        figures.check(`${name} ${kind} ${figure}`, value, 'within 5 %', Math.abs(off) <= 5);
      }
    }
  }
}

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: { only: { type: 'string' }, seconds: { type: 'string', default: '30' } },
  });
  const figures = new Figures();
  if (values.only !== 'agreement') await cost(figures);
  if (values.only !== 'cost') await agreement(figures, Number(values.seconds));
  return figures;
}
