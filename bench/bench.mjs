// The benchmark's course: start, prove, measure, print, keep.
import { mkdirSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { Lab } from './lab.mjs';
import { findSlow, measureStage, stageSeconds, warmUp, WARM_UP_TOTAL } from './measure.mjs';
import { LAB, Missing, nativePrograms } from './native.mjs';
import { allPeers } from './peers.mjs';
import { Progress } from './progress.mjs';
import { STAGES } from './stages.mjs';
import { textTable, verifiedList } from './tables.mjs';
import { verify } from './verify.mjs';

function choosePeers({ only, flags, folders }) {
  const all = allPeers({ flags, folders });
  if (only === undefined) return all.filter((peer) => peer.program !== undefined || peer.ours);
  const wanted = only.map((name) => name.toLowerCase());
  const unknown = wanted.find(
    (name) => name !== 'direct' && !all.some((peer) => peer.name.toLowerCase() === name),
  );
  if (unknown !== undefined) {
    throw new Missing(`there is no row ${unknown}; there are ${all.map((peer) => peer.name).join(', ')}`);
  }
  const named = (peer) => wanted.includes(peer.name.toLowerCase());
  return all.filter((peer) => named(peer) || (peer.ours && peer.name !== 'ours'));
}

async function oneRun(programs, peers, options, progress, first) {
  const lab = new Lab(programs, options);
  const run = { load: [loadavg()[0]], stages: {}, start: {}, verified: {} };
  try {
    await lab.startEngines();
    for (const [index, peer] of peers.entries()) {
      await lab.startPeer(peer, index);
      const one = lab.live.get(peer.name);
      if (one === undefined) progress.say(`${peer.name}: ${lab.absent.get(peer.name)}`);
      else run.start[peer.name] = { startMs: one.startMs, idleMiB: one.idleMiB };
      progress.advance(START_SECONDS, `starting: ${peer.name}`);
    }
    if (options.stages.includes('verify') && first) {
      for (const [name, { url }] of lab.live) {
        progress.advance(VERIFY_SECONDS, `checking: ${name}`);
        run.verified[name] = await verify(url, lab.engines[0]);
      }
    }
    const slow = new Set(peers.filter((peer) => peer.slow).map((peer) => peer.name));
    if (options.stages.some((key) => key in STAGES)) await warmUp(lab, { slow, progress });
    for (const key of Object.keys(STAGES).filter((name) => options.stages.includes(name))) {
      run.stages[key] = await measureStage(lab, key, { ...options, slow, progress });
      if (key === 'small') findSlow(run.stages[key], slow);
    }
    run.slow = [...slow];
    run.absent = Object.fromEntries(lab.absent);
    run.load.push(loadavg()[0]);
    return run;
  } finally {
    await lab.stop();
  }
}

const START_SECONDS = 2;
const VERIFY_SECONDS = 2;

function plannedSeconds(peers, { stages, quick, runs }) {
  const measured = stages.filter((key) => key in STAGES);
  const each = measured.reduce((sum, key) => sum + stageSeconds(STAGES[key], peers.length + 1, quick), 0);
  return runs * (each + peers.length * (START_SECONDS + WARM_UP_TOTAL));
}

/** Runs the benchmark; the exit code. */
export async function bench(options) {
  const programs = nativePrograms();
  const peers = choosePeers(options);
  const progress = new Progress(plannedSeconds(peers, options));
  const results = { runs: [] };
  const file = join(LAB, 'results', `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.json`);
  mkdirSync(join(LAB, 'results'), { recursive: true });
  for (let index = 0; index < options.runs; index++) {
    results.runs.push(await oneRun(programs, peers, options, progress, index === 0));
    writeFileSync(file, JSON.stringify(results));
    progress.say(`run ${index + 1} of ${options.runs}`);
  }
  console.log(verifiedList(results.runs));
  console.log(textTable(results.runs));
  console.log(`raw figures: ${file}`);
  return 0;
}
