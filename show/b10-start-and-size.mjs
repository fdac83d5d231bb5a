// B10: what the router takes before it does anything, and what it takes on disk. Starts with static discovery, one
// after the other: time until /ready says yes, processor time of the start, resident memory 3 s later. Then 1,000 and
// 2,000 streams held open through a router that has served nothing else. Then a production install in a folder of its
// own (needs the registry of packages). Linux.
//   --starts 5  --streams 1000  --no-install
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Figures, Missing, percentile } from './figures.mjs';
import { diskBytes, directDependencies, installForProduction } from './installed-packages.mjs';
import { LoadClient } from './load-client.mjs';
import { ROOT, startLightEngine, startRouter, staticFleet } from './processes.mjs';

const MODEL = 'light';
const READY_SECONDS = 1.5;
const IDLE_MB = 120;
const STREAMS_MB = 45;
/** After which an idle process is measured, milliseconds. */
const IDLE_MS = 3_000;
/** Between two tokens of a held stream, milliseconds. */
const TOKEN_MS = 500;
/** So many streams are started at a time, a few milliseconds apart, as clients come. */
const BATCH = 20;
const LARGEST = 10;

const MB = 1e6;

/** Resident memory now, megabytes. */
function residentMb(pid) {
  return (Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024) / MB;
}

const median = (samples) => percentile(samples, 0.5);
const list = (samples, digits) => samples.map((sample) => sample.toFixed(digits)).join(', ');

function fleetFlags(url) {
  return [...staticFleet([url], MODEL), '--routing-logic', 'roundrobin'];
}

/** Starts and stops routers; nobody listens at the engine. */
async function measureStarts(figures, starts) {
  const ready = [];
  const cpu = [];
  const idle = [];
  for (let start = 0; start < starts; start += 1) {
    const startedAt = performance.now();
    const router = await startRouter(fleetFlags('http://127.0.0.1:9'));
    ready.push((performance.now() - startedAt) / 1000);
    cpu.push(router.usage().cpuSeconds);
    await sleep(IDLE_MS);
    idle.push(residentMb(router.pid));
    await router.stop();
  }
  figures.note('starts: seconds to ready', list(ready, 2));
  figures.note('starts: seconds of processor time', list(cpu, 2));
  figures.below('ready, median', median(ready), READY_SECONDS, 's');
  figures.note('idle: resident MB, each', list(idle, 1));
  figures.below('idle: resident, median', median(idle), IDLE_MB, 'MB');
}

/** Opens `count` more streams and waits until each has its first bytes. */
async function open(client, count, tokens) {
  const body = JSON.stringify({ model: MODEL, stream: true, max_tokens: tokens, messages: [] });
  const begun = [];
  const answers = [];
  for (let at = 0; at < count; at += 1) {
    let first;
    begun.push(new Promise((resolve) => (first = resolve)));
    const { answer } = client.request({ path: '/v1/chat/completions', body, onBody: () => first() });
    answers.push(answer.then(({ status }) => status === 200).catch(() => false));
    if (at % BATCH === BATCH - 1) await sleep(BATCH);
  }
  await Promise.race([Promise.all(begun), Promise.all(answers)]);
  return answers;
}

async function measureStreams(figures, count) {
  const engine = await startLightEngine(['--model', MODEL, '--interval', String(TOKEN_MS)]);
  const router = await startRouter(fleetFlags(engine.url));
  await sleep(IDLE_MS);
  const idle = residentMb(router.pid);
  const client = new LoadClient(router.url);
  const held = [];
  const resident = [];
  for (const last of [false, true]) {
    held.push(...(await open(client, count, last ? 10 : 20)));
    await sleep(2 * TOKEN_MS);
    resident.push(residentMb(router.pid));
  }
  const whole = (await Promise.all(held)).filter(Boolean).length;
  figures.equal('streams that came whole', whole, 2 * count);
  const [once, twice] = resident;
  figures.note(`resident MB: idle, ${count}, ${2 * count} streams`, list([idle, once, twice], 1));
  const perThousand = (mb, streams) => (mb / streams) * 1000;
  const name = 'resident for each 1,000 streams';
  figures.below(`${name}, the first ${count}`, perThousand(once - idle, count), STREAMS_MB, 'MB');
  figures.below(`${name}, all ${2 * count}`, perThousand(twice - idle, 2 * count), STREAMS_MB, 'MB');
  await router.stop();
  await engine.stop();
}

function measureInstall(figures) {
  const install = installForProduction();
  const { folder, sizes } = install;
  const mb = (bytes) => `${(bytes / MB).toFixed(1)} MB`;
  const packages = diskBytes(join(folder, 'node_modules'));
  const dist = diskBytes(join(ROOT, 'dist'));
  const node = diskBytes(process.execPath);
  figures.note('production install', `${mb(packages)}, ${sizes.size} packages`);
  figures.note('dist', mb(dist));
  figures.note(`the node binary here (${process.version})`, mb(node));
  figures.note('these three together', mb(packages + dist + node));
  const largest = [...sizes].sort(([, a], [, b]) => b - a).slice(0, LARGEST);
  for (const [path, bytes] of largest) {
    figures.note(`  largest: ${path.replace(/^node_modules\//, '')}`, mb(bytes));
  }
  for (const { name, own, packages: count, whole, alone } of directDependencies(install)) {
    figures.note(
      `  direct: ${name}`,
      `${mb(own)}; with what it needs ${mb(whole)} in ${count} packages; ${mb(alone)} for it alone`,
    );
  }
}

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: {
      starts: { type: 'string', default: '5' },
      streams: { type: 'string', default: '1000' },
      'no-install': { type: 'boolean', default: false },
    },
  });
  if (process.platform !== 'linux') throw new Missing('Linux');
  const figures = new Figures();
  await measureStarts(figures, Number(values.starts));
  await measureStreams(figures, Number(values.streams));
  if (!values['no-install']) measureInstall(figures);
  return figures;
}
