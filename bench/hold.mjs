// Holds many streams open at once: do all complete, what memory do they take, does /health still answer.
import { setTimeout as sleep } from 'node:timers/promises';
import { streamBody } from './bodies.mjs';
import { bodyFile } from './measure.mjs';
import { residentMiB } from './processes.mjs';
import { quantile } from './statistics.mjs';

/** Streams held of ours; the first count is held of every row that is not slow. */
export const HELD = [500, 1000, 3000];

const START_GAP_US = 1000;
const HEALTH_PER_SECOND = 100;
const CHUNK_MS = 500;

/** Chunks that keep each stream open while all of them start, and two and a half seconds more. */
const chunksFor = (streams) => Math.ceil((streams * START_GAP_US) / 1e6 / (CHUNK_MS / 1000)) + 6;

/** Seconds that holding `streams` takes. */
export const heldSeconds = (streams) =>
  (chunksFor(streams) * CHUNK_MS + (streams * START_GAP_US) / 1000) / 1000;

async function healthOf(lab, name) {
  let health;
  const args = ['rate', 'GET /health', HEALTH_PER_SECOND, 2000, 1, lab.target(name, 't0')];
  await lab.load(args, (line) => {
    health = line;
  });
  return {
    healthN: health.whole.length,
    healthP99Us: quantile(health.whole, 0.99),
    healthBad: health.bad + health.late,
  };
}

/** Holds `streams` of the row `name`; `withHealth` asks /health meanwhile, as only ours has a meaning for it. */
export async function holdStreams(lab, name, streams, withHealth) {
  const one = lab.live.get(name);
  const chunks = chunksFor(streams);
  const path = bodyFile(`hold-${streams}`, streamBody(1024, chunks, CHUNK_MS));
  // What the process had before its first stream; what earlier streams left behind counts as memory of these.
  const { idleMiB } = one;
  const found = { streams, idleMiB };
  let whileOpen;
  const args = ['hold', path, streams, START_GAP_US, 1, lab.target(name, 't0')];
  await lab.load(args, (line) => {
    if (line.open === undefined)
      Object.assign(found, { completed: line.done, bad: line.bad, lost: streams * chunks - line.chunks });
    else {
      whileOpen = (async () => {
        const health = withHealth ? await healthOf(lab, name) : await sleep(1000);
        return { ...health, openMiB: residentMiB(one.process.pid) };
      })();
    }
  });
  Object.assign(found, await whileOpen);
  return { ...found, miBPer1000: ((found.openMiB - idleMiB) / streams) * 1000 };
}
