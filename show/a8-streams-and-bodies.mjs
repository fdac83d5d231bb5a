// A8: 300 streams at 50 chunks a second each, and while they run eight bodies of 100 MiB arrive at once. All must
// complete; a chunk's way from the engine's write to the client's read p99 < 100 ms (one clock, clock.mjs), /health
// p99 < 20 ms. Eight such bodies are more than --max-body-memory allows by default (512 MiB, then 503), so the
// router runs with --max-body-memory 1GiB. Router, engines and clients share the machine's processors.
//   --streams 300  --bodies 8  --mebibytes 100  --seconds 20  --cpu-prof FOLDER (profile of the router)
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { nowMicros } from './clock.mjs';
import { Figures, percentile, spread } from './figures.mjs';
import { LoadClient } from './load-client.mjs';
import { atEnd, ROOT, startLightEngine, startRouter, staticFleet } from './processes.mjs';

const MODEL = 'light';
const CHUNKS_PER_SECOND = 50;
const HEALTH_EVERY_MS = 20;
/** Streams alone first, for comparison. */
const ALONE_MS = 3_000;

/** Asks /health every 20 ms, whatever becomes of the answers, until it is stopped. */
function watchHealth(client) {
  const samples = [];
  const open = new Set();
  const probe = () => {
    const sentAt = nowMicros();
    const one = client
      .request({ path: '/health' })
      .answer.then(
        ({ status, ms }) => samples.push({ sentAt, ms: status === 200 ? ms : Infinity }),
        () => samples.push({ sentAt, ms: Infinity }),
      )
      .finally(() => open.delete(one));
    open.add(one);
  };
  const timer = setInterval(probe, HEALTH_EVERY_MS);
  const stop = async () => {
    clearInterval(timer);
    await Promise.all(open);
    return samples;
  };
  return { stop };
}

/** A part of the load in a process of its own, which answers each message with one. */
function startPart(file) {
  const child = fork(join(ROOT, 'show', file), { serialization: 'advanced' });
  atEnd(() => child.kill('SIGKILL'));
  return (message) =>
    new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', () => reject(new Error(`${file} ended too early`)));
      child.send(message);
    });
}

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: {
      streams: { type: 'string', default: '300' },
      bodies: { type: 'string', default: '8' },
      mebibytes: { type: 'string', default: '100' },
      seconds: { type: 'string', default: '20' },
      'cpu-prof': { type: 'string' },
    },
  });
  const [streamCount, bodyCount] = [Number(values.streams), Number(values.bodies)];
  const figures = new Figures();

  const interval = String(1_000 / CHUNKS_PER_SECOND);
  const engines = await Promise.all(
    [1, 2].map(() => startLightEngine(['--model', MODEL, '--interval', interval])),
  );
  const urls = engines.map(({ url }) => url);
  const profile = values['cpu-prof'];
  const router = await startRouter(
    [...staticFleet(urls, MODEL), '--routing-logic', 'roundrobin', '--max-body-memory', '1GiB'],
    profile === undefined ? {} : { nodeArgs: ['--cpu-prof', `--cpu-prof-dir=${profile}`] },
  );
  figures.note('run with', '--max-body-memory 1GiB (default 512 MiB)');

  const tokens = Number(values.seconds) * CHUNKS_PER_SECOND;
  const bytes = Number(values.mebibytes) * 1024 * 1024;
  const bodies = startPart('body-sender.mjs');
  await bodies({ url: router.url, model: MODEL, count: bodyCount, bytes });
  const streams = startPart('stream-reader.mjs');
  await streams({ url: router.url, model: MODEL, streams: streamCount, tokens });
  const begun = nowMicros();
  const streamsOver = streams('tell');
  const health = watchHealth(new LoadClient(router.url));
  await sleep(ALONE_MS);

  const from = nowMicros();
  const answers = await bodies('send');
  const to = nowMicros();
  const during = ({ at }) => at >= from && at <= to;
  const result = await streamsOver;
  const over = nowMicros();
  const probes = (await health.stop()).map(({ sentAt, ms }) => ({ at: sentAt, ms }));
  const usage = router.usage();

  const whole = answers.filter((answer) => answer.whole).length;
  figures.equal('bodies that arrived whole and were answered', whole, bodyCount);
  for (const { problem } of answers.filter((answer) => !answer.whole)) figures.note('a body', problem);
  figures.note('time of a body, first to last', answerTimes(answers));
  figures.equal('streams complete, every chunk in order', result.complete, streamCount);
  for (const problem of result.problems.slice(0, 3)) figures.note('a stream', problem);
  figures.note('chunks', `${result.at.length} in ${((over - begun) / 1e6).toFixed(1)} s`);
  figures.check(
    'the bodies came while all streams ran',
    `${to < result.firstEnd}`,
    'true',
    to < result.firstEnd,
  );

  const lags = Array.from(result.at, (at, n) => ({ at, ms: result.lag[n] / 1000 }));
  const alone = lags.filter(({ at }) => at >= begun && at < from).map(({ ms }) => ms);
  const loaded = lags.filter(during).map(({ ms }) => ms);
  figures.note('chunk lag without bodies p50 / p99 / max', spread(alone));
  figures.note('chunk lag with bodies p50 / p99 / max', spread(loaded));
  figures.below(
    'chunk lag p99, all',
    percentile(
      lags.map(({ ms }) => ms),
      0.99,
    ),
    100,
    'ms',
  );
  figures.below('chunk lag p99, while bodies arrive', percentile(loaded, 0.99), 100, 'ms');
  figures.note('/health with bodies p50 / p99 / max', spread(probes.filter(during).map(({ ms }) => ms)));
  figures.below(
    '/health p99, all',
    percentile(
      probes.map(({ ms }) => ms),
      0.99,
    ),
    20,
    'ms',
  );
  figures.below(
    '/health p99, while bodies arrive',
    percentile(
      probes.filter(during).map(({ ms }) => ms),
      0.99,
    ),
    20,
    'ms',
  );
  if (usage !== null)
    figures.note('router', `${usage.cpuSeconds.toFixed(1)} s of processor, ${usage.peakMiB} MiB at most`);
  if (profile !== undefined) {
    // A profile is written at an orderly end.
    router.kill('SIGINT');
    await router.exit;
  }
  for (const running of [router, ...engines]) await running.stop();
  return figures;
}

const answerTimes = (answers) => {
  const seconds = answers.map(({ ms }) => ms / 1000).sort((one, other) => one - other);
  return `${seconds[0].toFixed(1)} to ${seconds.at(-1).toFixed(1)} s`;
};
