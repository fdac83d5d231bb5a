// D6: one hour, or five million requests, whichever comes first: short answers and streams from four light engines, and
// beside them clients that leave at all times, streams that break, engines that answer with errors, and a fifth engine
// that is not there. Between two windows of load the router is made to collect all garbage: over the last 80 % of the run
// its heap must not grow (95 % interval of the slope), its RSS by 10 % at most; in the end nothing is in flight and no
// connection is left. Linux, two cores and a C compiler.
//   --minutes 60  --requests 5000000  --samples 60  --failing 60 (a second)  --routing-logic roundrobin
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { chatBody, streamBody } from '../bench/bodies.mjs';
import { bodyFile } from '../bench/measure.mjs';
import { Missing as NoTool, nativePrograms } from '../bench/native.mjs';
import { median } from '../bench/statistics.mjs';
import { FailingClients } from './failing-clients.mjs';
import { Figures, Missing } from './figures.mjs';
import { needFreePorts, run, Running, startRouter, staticFleet, until } from './processes.mjs';
import { IN_FLIGHT_GAUGES, metrics, sumOf } from './router-state.mjs';
import { trend } from './trend.mjs';

const MODEL = 'm';
const PORTS = [24_101, 24_102, 24_103, 24_104];
/** Nobody listens there. */
const DEAD_PORT = 24_109;
const CONNECTIONS = 64;
const KIB = 1_024;
const MIB = 1_024 * KIB;
/** The share of the run in which it finds its size. */
const WARM = 0.2;
const MOST_RSS_GROWTH = 1.1;

const BODIES = { short: chatBody(1_024), stream: streamBody(1_024, 20, 0), large: chatBody(200 * KIB) };
/** Windows in turn: body, connections, and its share of the time. */
const WINDOWS = [
  ['short', CONNECTIONS, 0.6],
  ['stream', CONNECTIONS, 0.3],
  ['large', 4, 0.1],
];

function programs() {
  try {
    return nativePrograms();
  } catch (error) {
    throw error instanceof NoTool ? new Missing(error.message) : error;
  }
}

/** One window of closed-loop load; requests that were done, and those of them that went wrong. */
async function load(program, router, [name, connections], ms) {
  const target = `router:${new URL(router.url).port}:${router.pid}`;
  const argv = [
    'loop',
    bodyFile(`soak-${name}`, BODIES[name]),
    String(connections),
    String(Math.ceil(ms)),
    '1',
    target,
  ];
  const { code, output } = await run(program, argv);
  if (code !== 0) throw new Error(`the load ended with ${code}: ${output}`);
  const { done, bad } = JSON.parse(output.split('\n').find((line) => line.startsWith('{"target"')));
  return { done, bad };
}

/** What is left in the router once all garbage is collected. */
async function collected(router) {
  // What it said before is not looked at again.
  router.output = '';
  router.kill('SIGUSR2');
  const [, told] = await router.says(/@collected (\{.*\})\n/, 60_000);
  return JSON.parse(told);
}

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '60' },
      requests: { type: 'string', default: '5000000' },
      samples: { type: 'string', default: '60' },
      failing: { type: 'string', default: '60' },
      'routing-logic': { type: 'string', default: 'roundrobin' },
    },
  });
  if (process.platform !== 'linux') throw new Missing('Linux');
  const native = programs();
  await needFreePorts([...PORTS, DEAD_PORT]);
  const engine = new Running(native.engine, [String(PORTS[0]), String(PORTS.length)]);
  const urls = [...PORTS, DEAD_PORT].map((port) => `http://127.0.0.1:${port}`);
  await until('the light engine answers', async () => (await fetch(`${urls[0]}/stats`)).ok);
  const router = await startRouter(
    [...staticFleet(urls, MODEL), '--routing-logic', values['routing-logic'], '--engine-stats-interval', '5'],
    { nodeArgs: ['--expose-gc', '--import', new URL('told-to-collect.mjs', import.meta.url).href] },
  );
  const figures = new Figures();
  await load(native.load, router, WINDOWS[0], 2_000);
  const atFirst = await collected(router);

  const ms = Number(values.minutes) * 60_000;
  const beganAt = performance.now();
  const samples = [];
  let failing = 0;
  let done = 0;
  let bad = 0;
  const share = () =>
    Math.max((performance.now() - beganAt) / ms, (done + failing) / Number(values.requests));
  while (share() < 1) {
    const from = share();
    const clients = new FailingClients(router.url, Number(values.failing));
    while (share() < Math.min(1, from + 1 / Number(values.samples))) {
      // As long as a sample may take, as far as is known now.
      const slice = Math.min(20_000, (ms / Number(values.samples)) * 0.5);
      for (const window of WINDOWS) {
        const one = await load(native.load, router, window, slice * window[2]);
        done += one.done;
        bad += one.bad;
      }
    }
    failing += clients.count;
    await clients.stop();
    await settled(router);
    const sample = {
      at: share(),
      minutes: (performance.now() - beganAt) / 60_000,
      ...(await collected(router)),
    };
    samples.push(sample);
    const { at, heap, rss } = sample;
    const text = `${(at * 100).toFixed(0)} %: ${((done + failing) / 1e6).toFixed(2)} million requests`;
    process.stderr.write(
      `  ${text}, heap ${(heap / MIB).toFixed(2)} MiB, RSS ${(rss / MIB).toFixed(0)} MiB\n`,
    );
  }
  const minutes = (performance.now() - beganAt) / 60_000;
  figures.note('requests', `${done} that end well, ${failing} that do not, in ${minutes.toFixed(1)} minutes`);
  figures.equal('of those that end well, not as wanted', bad, 0);
  judge(figures, samples);
  await atTheEnd(figures, router, atFirst);
  await router.stop();
  await engine.stop();
  return figures;
}

/** Heap and memory over the last part of the run. */
function judge(figures, samples) {
  const late = samples.filter(({ at }) => at >= WARM);
  if (late.length < 10) {
    figures.check('samples of the last 80 %', late.length, 'at least 10', false);
    return;
  }
  const kib = (bytes) => (bytes / KIB).toFixed(2);
  const line = (of) => trend(late.map((sample) => ({ x: sample.minutes, y: of(sample) })));
  const told = ({ slope, low, high }) => `${kib(slope)} KiB a minute, ${kib(low)} to ${kib(high)}`;
  const whole = line(({ heap }) => heap);
  figures.note(
    'heap after collection, mean',
    `${(whole.mean / MIB).toFixed(2)} MiB of ${late.length} samples`,
  );
  figures.check('slope of the heap, 95 % interval', told(whole), 'not above 0', whole.low <= 0);
  // V8 compiles what is rare the later: this levels off, at the size of the program.
  figures.note('of it code that V8 has compiled', told(line(({ code }) => code)));
  figures.note('and all else', told(line(({ heap, code }) => heap - code)));
  const third = Math.max(3, Math.floor(late.length / 4));
  const rss = (list) => median(list.map((sample) => sample.rss));
  const [early, end] = [rss(late.slice(0, third)), rss(late.slice(-third))];
  const growth = end / early;
  const text = `${(early / MIB).toFixed(0)} to ${(end / MIB).toFixed(0)} MiB, ${((growth - 1) * 100).toFixed(1)} %`;
  figures.check('RSS, first to last quarter of these', text, '<= 10 % up', growth <= MOST_RSS_GROWTH);
}

const TELLING = /^vllm_router_(rejections|retries|client_disconnects)_total/;
const shortOf = (name) => name.replace(/^vllm_router_(\w+)_total/, '$1').replace(/\{\w+="(\w+)"\}/, ' $1');

/** Waits until nothing is under way. */
async function settled(router) {
  await until(
    'nothing is in flight',
    async () => {
      const samples = await metrics(router);
      return IN_FLIGHT_GAUGES.every((gauge) => sumOf(samples, gauge) === 0);
    },
    30_000,
  );
}

async function atTheEnd(figures, router, atFirst) {
  // Idle connections to engines close after four seconds, and clients have taken theirs along.
  await sleep(6_000);
  const samples = await metrics(router);
  const told = [...samples].filter(([name, count]) => TELLING.test(name) && count > 0);
  figures.note(
    'what the router counted',
    told.map(([name, count]) => `${shortOf(name)} ${count}`).join(', '),
  );
  for (const gauge of IN_FLIGHT_GAUGES) figures.equal(gauge, sumOf(samples, gauge), 0);
  figures.equal('bytes of bodies held', sumOf(samples, 'vllm_router_body_memory_bytes'), 0);
  const end = await collected(router);
  // This process asks over a connection of its own.
  figures.check('connections', end.sockets, '<= 2', end.sockets <= 2);
  const { resources } = end;
  figures.check('handles', resources, `<= ${atFirst.resources}, as at first`, resources <= atFirst.resources);
}
