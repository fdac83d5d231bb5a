// --profile: a flame graph of our router under each load, and where its time goes.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { flameGraph, selfTime, stacksOfCpuProfile, stacksOfPerf } from './flame-graph.mjs';
import { Lab } from './lab.mjs';
import { bodyFile } from './measure.mjs';
import { LAB, Missing } from './native.mjs';
import { allPeers } from './peers.mjs';
import { Pinned } from './processes.mjs';
import { STAGES } from './stages.mjs';

const LOADS = ['small', 'large', 'paced', 'burst'];
const RECORD_SECONDS = 5;
const HERTZ = 999;
const TOP = 25;

const hasPerf = () => spawnSync('perf', ['--version']).status === 0;

/** Loads the router for the seconds of the recording and a little more. */
function underLoad(lab, key) {
  const { mode, body, amount, length, seconds } = STAGES[key];
  const rounds = mode === 'loop' ? 1 : Math.ceil(RECORD_SECONDS / seconds) + 1;
  const ms = mode === 'loop' ? (RECORD_SECONDS + 1) * 1000 : length;
  return lab.load([mode, bodyFile(key, body), amount, ms, rounds, lab.target('ours', 't0')], () => undefined);
}

async function recordPerf(lab, key, core) {
  const data = join(LAB, 'profile', `${key}.data`);
  const { pid } = lab.live.get('ours').process;
  const load = underLoad(lab, key);
  await sleep(300);
  const argv = [
    'perf',
    'record',
    '-F',
    String(HERTZ),
    '-g',
    '-p',
    String(pid),
    '-o',
    data,
    '--',
    'sleep',
    String(RECORD_SECONDS),
  ];
  const recorder = new Pinned(argv, { core, log: join(LAB, 'log', 'perf.log') });
  const code = await recorder.exit;
  await load;
  if (code !== 0) throw new Missing(`perf record ended with ${code}: ${recorder.tail}`);
  const { stdout } = spawnSync('perf', ['script', '-i', data, '-F', 'comm,tid,time,ip,sym,dso'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  rmSync(data);
  rmSync(`/tmp/perf-${pid}.map`, { force: true });
  return stacksOfPerf(stdout);
}

/** Node writes its profile when it ends, so each load has a router of its own. */
async function recordNode(lab, key, folder) {
  await underLoad(lab, key);
  const { process } = lab.live.get('ours');
  await process.stop({ patienceMs: 15_000 });
  const file = readdirSync(folder).find((name) => name.endsWith('.cpuprofile'));
  if (file === undefined) throw new Error('Node wrote no profile');
  return stacksOfCpuProfile(JSON.parse(readFileSync(join(folder, file), 'utf8')));
}

function summary(stacks) {
  const symbols = selfTime(stacks);
  const groups = new Map();
  const count = (group, share) => groups.set(group, (groups.get(group) ?? 0) + share);
  for (const { group, share } of symbols) {
    count(group, share);
    if (group.startsWith('JavaScript ')) count('JavaScript', share);
  }
  const percent = (share) => `${(share * 100).toFixed(1)} %`.padStart(7);
  const byGroup = [...groups].sort((a, b) => b[1] - a[1]).slice(0, TOP);
  return [
    ...byGroup.map(([group, share]) => `  ${percent(share)}  ${group}`),
    '  self time:',
    ...symbols
      .slice(0, TOP)
      .map(({ name, group, share }) => `  ${percent(share)}  ${name.slice(0, 90)}  [${group}]`),
  ].join('\n');
}

/**
 * Profiles our router under the chosen loads; writes SVG files into the lab folder. perf finds
 * JavaScript in a map that V8 only adds to: where code was collected and its place used again, an old name may stand.
 */
export async function profile(programs, options) {
  const loads = LOADS.filter((key) => options.stages.includes(key));
  const [ours] = allPeers();
  const withPerf = hasPerf();
  console.log(withPerf ? `perf at ${HERTZ} Hz` : 'without perf: --cpu-prof of Node, which sees no kernel');
  for (const key of loads) {
    const folder = join(LAB, 'profile', key);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const nodeArgs = withPerf
      ? ['--perf-basic-prof', '--interpreted-frames-native-stack']
      : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
    const lab = new Lab(programs, options);
    try {
      await lab.startEngines();
      await lab.startPeer(ours, 0, { nodeArgs });
      if (!lab.live.has('ours')) throw new Error(`ours: ${lab.absent.get('ours')}`);
      await underLoad(lab, key);
      const stacks = withPerf
        ? await recordPerf(lab, key, options.cores.load)
        : await recordNode(lab, key, folder);
      const file = join(LAB, 'profile', `${key}.svg`);
      writeFileSync(file, flameGraph(`vllm-router: ${STAGES[key].title}`, stacks));
      console.log(`\n${STAGES[key].title}\n${summary(stacks)}\n  ${file}`);
    } finally {
      await lab.stop();
    }
  }
}
