// B5: the cost of a request does not grow. A router takes requests until it has had 2 million and its window of 300 s
// is full; then it is measured beside a fresh one, in windows that take turns: processor time per 1 KB request, from
// the scheduler's counters over all threads. Session routing is measured beside round robin in the same way.
// Linux with two cores, taskset and a C compiler; about six minutes.
//   --requests 2000000  --seconds 305  --rounds 12
import { cpus } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { chatBody } from '../bench/bodies.mjs';
import { Lab } from '../bench/lab.mjs';
import { bodyFile } from '../bench/measure.mjs';
import { Missing as NoTool, nativePrograms } from '../bench/native.mjs';
import { loopFigures, median } from '../bench/statistics.mjs';
import { Figures, Missing } from './figures.mjs';
import { ROOT } from './processes.mjs';

const CONNECTIONS = 64;
const WARM_REQUESTS = 60_000;
const MOST_GROWTH = 1.1;
const MOST_SESSION_US = 10;

/** A router as a row of the benchmark. */
const router = (name, flags) => ({
  name,
  program: process.execPath,
  start: (node, { port, engines }) => ({
    argv: [
      ...[node, join(ROOT, 'dist', 'main.js'), '--host', '127.0.0.1', '--port', String(port)],
      ...['--service-discovery', 'static', '--static-backends', engines.join(',')],
      ...['--static-models', engines.map(() => 'm').join(','), '--log-level', 'error'],
      ...['--request-stats-window', '300', ...flags],
    ],
  }),
});
const ROUND_ROBIN = ['--routing-logic', 'roundrobin'];
const SESSION = ['--routing-logic', 'session', '--session-key', 'user'];

/** Closed-loop windows of each router, by name: `{ done, cpu_us, ms }`. */
async function windows(lab, names, body, rounds, ms) {
  const found = Object.fromEntries(names.map((name) => [name, []]));
  const targets = names.map((name, i) => lab.target(name, `t${i}`));
  await lab.load(['loop', body, CONNECTIONS, ms, rounds, ...targets], ({ target, ...window }) => {
    if (window.bad > 0) throw new Error(`${window.bad} requests failed`);
    found[names[Number(target.slice(1))]].push(window);
  });
  return found;
}

const doneIn = (list) => list.reduce((sum, { done }) => sum + done, 0);

/** Requests to one router until it has had `requests` of them. */
async function serve(lab, name, body, requests) {
  for (let done = 0; done < requests;) done += doneIn((await windows(lab, [name], body, 1, 2_000))[name]);
}

/** Cost per request of the first router over that of the second, window by window: median, and both costs. */
async function compare(lab, names, body, rounds) {
  const found = await windows(lab, names, body, rounds + 2, 250);
  const [first, second] = names.map((name) => found[name].slice(2));
  const cost = ({ cpu_us, done }) => cpu_us / done;
  const pairs = first.map((window, i) => [cost(window), cost(second[i])]);
  return {
    ratio: median(pairs.map(([a, b]) => a / b)),
    more: median(pairs.map(([a, b]) => a - b)),
    costs: [first, second].map((list) => loopFigures(list).costMedian),
  };
}

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: {
      requests: { type: 'string', default: '2000000' },
      seconds: { type: 'string', default: '305' },
      rounds: { type: 'string', default: '12' },
    },
  });
  if (process.platform !== 'linux' || cpus().length < 2) throw new Missing('Linux with two cores');
  let programs;
  try {
    programs = nativePrograms();
  } catch (error) {
    throw error instanceof NoTool ? new Missing(error.message) : error;
  }
  const rounds = Number(values.rounds);
  const figures = new Figures();
  const lab = new Lab(programs, { cores: { peers: 0, load: 1 }, engineCount: 4 });
  const body = bodyFile('session', chatBody(1024, { user: 'somebody' }));
  try {
    await lab.startEngines();
    const start = async (name, index, flags) => {
      await lab.startPeer(router(name, flags), index);
      if (!lab.live.has(name)) throw new Error(`${name}: ${lab.absent.get(name)}`);
      await serve(lab, name, body, WARM_REQUESTS);
    };
    await start('round robin', 0, ROUND_ROBIN);
    await start('session', 1, SESSION);
    const session = await compare(lab, ['session', 'round robin'], body, rounds);
    const us = ([a, b]) => `${a.toFixed(1)} and ${b.toFixed(1)} us`;
    figures.note('a request with session and with round robin', us(session.costs));
    figures.below('session routing costs more by', session.more, MOST_SESSION_US, 'us');

    const beganAt = performance.now();
    let had = WARM_REQUESTS;
    while (had < Number(values.requests) || performance.now() - beganAt < Number(values.seconds) * 1_000) {
      had += doneIn((await windows(lab, ['round robin'], body, 1, 10_000))['round robin']);
      const seconds = (performance.now() - beganAt) / 1_000;
      process.stderr.write(`  ${(had / 1e6).toFixed(2)} million requests in ${seconds.toFixed(0)} s\n`);
    }
    await start('fresh', 2, ROUND_ROBIN);
    const aged = await compare(lab, ['round robin', 'fresh'], body, rounds);
    figures.note('requests before', had);
    figures.note('a request then, and at a fresh router', us(aged.costs));
    figures.check(
      'the aged router over the fresh one',
      aged.ratio.toFixed(3),
      `<= ${MOST_GROWTH}`,
      aged.ratio <= MOST_GROWTH,
    );
  } finally {
    await lab.stop();
  }
  return figures;
}
