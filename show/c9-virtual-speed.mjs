// C9: how fast simulated time passes: eight engines with the profile h100-8b, each of the seven workloads at load 1,
// a policy that costs nothing. Seconds simulated for each second of this process's CPU time, for `chat` and all.
//   --seconds 220             simulated seconds of each run
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Figures } from './figures.mjs';
import { ROOT } from './processes.mjs';

const ENGINES = 8;
const LEAST = 100;
/** The best of them counts: neighbours on the machine's caches only slow a run down. */
const RUNS = 3;

export async function show(args) {
  const { values } = parseArgs({ args, options: { seconds: { type: 'string', default: '220' } } });
  const dist = (path) => import(join(ROOT, 'dist', path));
  const { simulate } = await dist('simulator/virtual/simulate.js');
  const { PROFILES } = await dist('simulator/model/engine-profile.js');
  const { WORKLOADS } = await dist('what-if/workloads/index.js');
  const until = Number(values.seconds);
  const engines = Array.from({ length: ENGINES }, () => PROFILES['h100-8b']);
  const figures = new Figures();
  for (const { name, rate, begin } of WORKLOADS) {
    // Sessions stay on one engine, so that caches are hit as under a good policy.
    const choose = ({ session }) => hash(session) % ENGINES;
    let speed = 0;
    let requests = 0;
    for (let run = 0; run < RUNS; run++) {
      const before = process.cpuUsage();
      requests = simulate({ engines, ...begin(1, rate), choose, until }).results.length;
      const { user, system } = process.cpuUsage(before);
      speed = Math.max(speed, Math.round((until * 1e6) / (user + system)));
    }
    const value = `${speed} times real time, ${requests} requests`;
    if (name === 'chat') figures.check(name, value, `>= ${LEAST}`, speed >= LEAST);
    else figures.note(name, value);
  }
  return figures;
}

function hash(text) {
  let mixed = 7;
  for (const letter of text) mixed = Math.imul(mixed ^ letter.charCodeAt(0), 0x85ebca6b) ^ (mixed >>> 13);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
