// The benchmark's course: start, prove, measure, print, keep.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { HELD, heldSeconds, holdStreams } from './hold.mjs';
import { Lab } from './lab.mjs';
import { describeMachine } from './machine.mjs';
import { findSlow, measureStage, stageSeconds, warmUp, WARM_UP_TOTAL } from './measure.mjs';
import { LAB, Missing, nativePrograms } from './native.mjs';
import { allPeers } from './peers.mjs';
import { profile } from './profile.mjs';
import { Progress } from './progress.mjs';
import { claimLines, writeReport } from './report.mjs';
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

/** Counts of streams to hold of a peer; those of the others do not change from run to run and are measured once. */
const heldCounts = (peer, first) => (peer.ours ? HELD : first && !peer.slow ? HELD.slice(0, 1) : []);

async function holdAll(lab, run, { progress, first }) {
  for (const [name, { peer }] of lab.live) {
    for (const streams of heldCounts(peer, first)) {
      progress.advance(heldSeconds(streams), `holding ${streams} streams: ${name}`);
      run.held[name] = { ...run.held[name], [streams]: await holdStreams(lab, name, streams, peer.ours) };
    }
  }
}

/** One run over all peers: `first` also checks bytes and holds streams of all. */
async function oneRun(programs, peers, options, progress, first) {
  const lab = new Lab(programs, options);
  const run = { load: [loadavg()[0]], stages: {}, start: {}, held: {}, verified: {} };
  try {
    await lab.startEngines();
    progress.say(`starting ${peers.map((peer) => peer.name).join(', ')}`);
    for (const [index, peer] of peers.entries()) {
      await lab.startPeer(peer, index);
      const one = lab.live.get(peer.name);
      if (one === undefined) progress.say(`${peer.name}: ${lab.absent.get(peer.name)}`);
      else run.start[peer.name] = { startMs: one.startMs, idleMiB: one.idleMiB };
      progress.advance(START_SECONDS, `starting: ${peer.name}`);
    }
    if (options.stages.includes('verify') && first) {
      progress.say('checking bytes, streams and errors');
      for (const [name, { url }] of lab.live) {
        progress.advance(VERIFY_SECONDS, `checking: ${name}`);
        run.verified[name] = await verify(url, lab.engines[0]);
      }
    }
    const slow = new Set(peers.filter((peer) => peer.slow).map((peer) => peer.name));
    if (options.stages.includes('hold')) progress.say('holding streams');
    if (options.stages.includes('hold')) await holdAll(lab, run, { progress, first });
    if (options.stages.some((key) => key in STAGES)) await warmUp(lab, { slow, progress });
    for (const key of Object.keys(STAGES).filter((name) => options.stages.includes(name))) {
      progress.say(STAGES[key].title);
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
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
  const measured = stages.filter((key) => key in STAGES);
  const each = sum(measured.map((key) => stageSeconds(STAGES[key], peers.length + 1, quick)));
  const warm = measured.length > 0 ? peers.length * WARM_UP_TOTAL : 0;
  const held = (first) =>
    stages.includes('hold') ? sum(peers.flatMap((peer) => heldCounts(peer, first)).map(heldSeconds)) : 0;
  const once = (stages.includes('verify') ? peers.length * VERIFY_SECONDS : 0) + held(true) - held(false);
  return once + runs * (each + warm + held(false) + peers.length * START_SECONDS);
}

/** The command that gives such results, without what names this machine. */
function commandOf({ quick, runs, only }) {
  const words = [
    ...(quick ? ['--quick'] : []),
    ...(runs > 1 ? ['--runs', runs] : []),
    ...(only ? ['--only', `'${only.join(',')}'`] : []),
  ];
  return `npm run bench -- ${[...words, '--write'].join(' ')}`;
}

function readResults(files) {
  const all = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
  const runs = all.flatMap((results) => results.runs);
  const versions = Object.assign({}, ...all.map((results) => results.versions));
  return { ...all.at(-1), command: commandOf({ runs: runs.length }), runs, versions };
}

function tell(results, { write }) {
  if (results.runs.some((run) => Object.keys(run.verified).length > 0))
    console.log(verifiedList(results.runs));
  if (results.runs.some((run) => Object.keys(run.stages).length > 0)) {
    console.log(`\n${textTable(results.runs)}\n\n${claimLines(results.runs)}`);
  }
  for (const [name, counts] of results.runs.flatMap((run) => Object.entries(run.held))) {
    for (const held of Object.values(counts)) console.log(`${name}: ${JSON.stringify(held)}`);
  }
  if (write) console.log(`written: ${writeReport(results).join(', ')}`);
}

/** Runs the benchmark; the exit code. */
export async function bench(options) {
  if (options.from.length > 0) {
    tell(readResults(options.from), options);
    return 0;
  }
  const programs = nativePrograms();
  if (options.profile) {
    await profile(programs, options);
    return 0;
  }
  const peers = choosePeers(options);
  const progress = new Progress(plannedSeconds(peers, options));
  const results = { machine: describeMachine(), command: commandOf(options), versions: {}, runs: [] };
  for (const peer of peers.filter(({ program }) => program !== undefined))
    results.versions[peer.name] = peer.version(peer.program);
  const file = join(LAB, 'results', `${new Date().toISOString().replaceAll(/[:.]/g, '-')}.json`);
  mkdirSync(join(LAB, 'results'), { recursive: true });
  for (let index = 0; index < options.runs; index++) {
    results.runs.push(await oneRun(programs, peers, options, progress, index === 0));
    writeFileSync(file, JSON.stringify(results));
    progress.say(`run ${index + 1} of ${options.runs} is over`);
  }
  tell(results, options);
  console.log(`raw figures: ${file}`);
  return 0;
}
