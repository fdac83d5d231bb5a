// C7: what a decision costs and what the prefix index holds. (a) Decisions of prefixaware over 64 busy engines with a full
// index, for prompts of 1k and 32k tokens: cold ones, ones whose begin all engines hold, ones that three engines hold
// whole. A decision is all from the parsed body to the complete ranking. (b) Bytes for each block. (c) 10 million distinct prompts: memory stays flat, and no insertion stalls.
//   --only decision|memory    one half of it
//   --prompts 10000000        of (c)
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { decidingStrategy } from './deciding-strategy.mjs';
import { Figures, percentile } from './figures.mjs';
import { ROOT } from './processes.mjs';
import { conversation, prose } from './prompt-bodies.mjs';

const ENGINES = 64;
const INDEX_BYTES = 256 * 2 ** 20;
const SYSTEM = 4_000;
const BLOCK_BYTES = 256;
/** Characters of a prompt, decisions that are timed, and the budget of one in microseconds. */
const SIZES = [
  { name: '1k tokens', characters: 4_096, prompts: 800, budget: 50 },
  { name: '32k tokens', characters: 131_072, prompts: 160, budget: 500 },
];
/** The best of them counts: neighbours on the machine's caches only slow a run down. */
const RUNS = 5;
const MOST_BYTES_PER_BLOCK = 64;
const MOST_GROWTH_MIB = 16;
const BATCH = 50;
const LONGEST_PAUSE_MS = 5;

/** Fills the index to its bound: what engines hold of other people's prompts. */
function fill(deciding) {
  const random = names(99);
  const chain = new Float64Array(64);
  for (let engine = 0, before = -1; ; engine = (engine + 1) % ENGINES) {
    for (let at = 0; at < chain.length; at++) chain[at] = random();
    deciding.hold(engine, chain.slice(), BLOCK_BYTES);
    if (engine > 0) continue;
    const { blocks } = deciding;
    if (blocks <= before) return blocks;
    before = blocks;
  }
}

/** Names as good as those of blocks, without the text. */
function names(seed) {
  let [a, b] = [seed | 1, 0x9e3779b9];
  return () => {
    a ^= a << 13;
    a ^= a >>> 17;
    a ^= a << 5;
    b = (Math.imul(b, 1664525) + 1013904223) | 0;
    return ((a ^ (b >>> 9)) & 0x1fffff) * 2 ** 32 + ((a + b) >>> 0);
  };
}

/** The bodies of one size and kind, as the index is made to know them. */
function bodiesOf(kind, { characters, prompts }, known, deciding, seed) {
  const system = kind === 'cold' ? null : known;
  return Array.from({ length: prompts }, (_, at) => {
    const body = conversation(system ?? prose(SYSTEM, seed + at), characters, seed + at);
    const { names: chain, blockSize } = deciding.facts(body).prompt.blocks();
    if (kind === 'begin known to all' && at === 0) {
      const begin = chain.slice(0, Math.floor(SYSTEM / blockSize));
      for (let engine = 0; engine < ENGINES; engine++) deciding.hold(engine, begin, blockSize);
    }
    if (kind === 'known to three')
      for (let n = 0; n < 3; n++) deciding.hold((at + n) % ENGINES, chain, blockSize);
    return body;
  });
}

/** Decides for each body and sends it; microseconds of the decision and of the accounting after it. */
function timed(deciding, bodies) {
  const [took, sent] = [[], []];
  for (const body of bodies) {
    const begun = performance.now();
    const request = deciding.facts(body);
    const ranked = deciding.decide(request);
    const decided = performance.now();
    deciding.send(request, ranked);
    took.push((decided - begun) * 1e3);
    sent.push((performance.now() - decided) * 1e3);
    deciding.pass();
  }
  return { p50: percentile(took, 0.5), p99: percentile(took, 0.99), accounting: percentile(sent, 0.5) };
}

async function decisions(figures) {
  const deciding = await decidingStrategy(ENGINES, INDEX_BYTES);
  figures.note('blocks in the index', fill(deciding));
  let seed = 1;
  for (const size of SIZES) {
    for (const kind of ['cold', 'begin known to all', 'known to three']) {
      const runs = Array.from({ length: RUNS }, () =>
        timed(deciding, bodiesOf(kind, size, prose(SYSTEM, 7), deciding, (seed += 10_000))),
      );
      const best = runs.reduce((one, other) => (other.p50 < one.p50 ? other : one));
      const name = `${size.name}, ${kind}`;
      figures.below(`${name}: p50`, best.p50, size.budget, 'us');
      figures.note(`${name}: p50 of all runs`, `${runs.map(({ p50 }) => p50.toFixed(1)).join(' ')} us`);
      figures.note(`${name}: p99`, `${best.p99.toFixed(1)} us`);
      figures.note(`${name}: accounting p50`, `${best.accounting.toFixed(1)} us`);
    }
  }
}

/**
 * Inserts so many prompts of two blocks, the same in every pass. Gives the processor time of each batch in us, and calls
 * `onTenth` after each tenth of `prompts`.
 */
function insertAll({ index, slots }, prompts, onTenth = () => {}) {
  const random = names(7);
  const chain = new Float64Array(2);
  const cpu = new Float64Array(Math.floor(prompts / BATCH));
  let before = process.cpuUsage();
  for (let at = 1; at <= prompts; at++) {
    chain[0] = random();
    chain[1] = random();
    index.insert(slots[at % ENGINES], chain);
    if (at % BATCH === 0) {
      const { user, system } = process.cpuUsage(before);
      before = process.cpuUsage();
      cpu[at / BATCH - 1] = user + system;
    }
    if (at % Math.floor(prompts / 10) === 0) onTenth(index);
  }
  return cpu;
}

async function memory(figures, prompts) {
  const { PrefixIndex } = await import(join(ROOT, 'dist', 'core', 'prefix', 'prefix-index.js'));
  const emptyIndex = (maxBytes) => {
    const index = new PrefixIndex({ maxBytes });
    return {
      index,
      slots: Array.from({ length: ENGINES }, (_, at) => index.slotOf(`http://engine-${at}:8000`)),
    };
  };
  // A small index is filled first, so that compiling the code does not count as a pause.
  insertAll(emptyIndex(2 ** 20), 200_000);
  const rss = [];
  const fleet = emptyIndex(INDEX_BYTES);
  const { index } = fleet;
  const cpu = insertAll(fleet, prompts, () => {
    rss.push(Math.round(process.memoryUsage().rss / 2 ** 20));
    const perBlock = index.bytes / index.blocks;
    if (rss.length === 1)
      figures.below('bytes for each block, after a tenth', perBlock, MOST_BYTES_PER_BLOCK, 'bytes');
  });
  const perBlock = index.bytes / index.blocks;
  figures.below('bytes for each block, at the end', perBlock, MOST_BYTES_PER_BLOCK, 'bytes');
  figures.note('blocks that are held', `${index.blocks} of ${prompts * 2}`);
  figures.below('bytes of all tables', index.bytes / 2 ** 20, INDEX_BYTES / 2 ** 20 + 0.1, 'MiB');
  figures.note('resident memory after each tenth', `${rss.join(' ')} MiB`);
  figures.below('its growth over the second half', rss.at(-1) - rss[4], MOST_GROWTH_MIB, 'MiB');
  const usual = percentile(cpu, 0.5);
  figures.note('processor time of an insertion', `${(usual / BATCH).toFixed(2)} us`);
  // What the index does comes at the same prompt in every pass; what the machine does, does not. A single insertion takes
  // no more than what its batch took.
  const again = insertAll(emptyIndex(INDEX_BYTES), Math.floor(prompts / 2));
  const both = again.map((took, batch) => Math.min(took, cpu[batch]) / 1e3);
  figures.below('longest pause, in processor time', percentile(both, 1), LONGEST_PAUSE_MS, 'ms');
}

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: { only: { type: 'string' }, prompts: { type: 'string', default: '10000000' } },
  });
  const figures = new Figures();
  if (values.only !== 'memory') await decisions(figures);
  if (values.only !== 'decision') await memory(figures, Number(values.prompts));
  return figures;
}
