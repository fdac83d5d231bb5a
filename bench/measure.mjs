// Measures one stage over all live peers.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LAB } from './native.mjs';
import { STAGES } from './stages.mjs';

/** A peer above this is given fewer streams: with all of them only its queue would be measured. Microseconds. */
const SLOW_US = 3000;

const WARM_UP_SECONDS = { small: 1, burst: 0.3, paced: 1.25 };

/** Seconds of warming up for each row. */
export const WARM_UP_TOTAL = Object.values(WARM_UP_SECONDS).reduce((a, b) => a + b);

/** Writes a body to the lab folder; its path. */
export function bodyFile(name, body) {
  const folder = join(LAB, 'bodies');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.json`);
  writeFileSync(path, body);
  return path;
}

/** Lets compilers of the peers' runtimes do their work before anything is measured. */
export async function warmUp(lab, { slow, progress }) {
  for (const [key, seconds] of Object.entries(WARM_UP_SECONDS)) {
    const { title, mode, body, amount, length, most } = STAGES[key];
    const names = [...lab.live.keys()];
    const targets = names.map((name, i) => lab.target(name, `t${i}`, slow.has(name) ? most : 0));
    const ms = mode === 'loop' ? seconds * 1000 : length;
    await lab.load([mode, bodyFile(key, body), amount, ms, 1, ...targets], () =>
      progress.advance(seconds, `warming up: ${title}`),
    );
  }
}

/** Seconds that a stage is planned to take. */
export function stageSeconds(stage, count, quick) {
  return stage.seconds * (quick ? stage.quick : stage.rounds) * count;
}

/** Windows of a stage that count, by name of the row; `slow` are the names that get fewer connections. */
export async function measureStage(lab, key, { quick, slow, progress }) {
  const stage = STAGES[key];
  const names = [...lab.live.keys(), 'direct'];
  const targets = names.map((name, i) => lab.target(name, `t${i}`, slow.has(name) ? stage.most : 0));
  const rounds = quick ? stage.quick : stage.rounds;
  const windows = Object.fromEntries(names.map((name) => [name, []]));
  const args = [stage.mode, bodyFile(key, stage.body), stage.amount, stage.length, rounds, ...targets];
  await lab.load(args, ({ target, round, ...window }) => {
    const name = names[Number(target.slice(1))];
    progress.advance(stage.seconds, `${stage.title}: ${name}`);
    if (round >= stage.warmUp) windows[name].push(window);
  });
  return windows;
}

/** Adds to `slow` the rows that needed more than SLOW_US for a request of the windows. */
export function findSlow(windows, slow) {
  for (const [name, list] of Object.entries(windows)) {
    const done = list.reduce((sum, window) => sum + window.done, 0);
    const cpu = list.reduce((sum, window) => sum + window.cpu_us, 0);
    if (done > 0 && cpu / done > SLOW_US) slow.add(name);
  }
}
