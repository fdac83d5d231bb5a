// C7B: what a decision of prefixaware costs: a ranking of 64 engines whose caches hold 6,400 prompts, for prompts of 1k and
// of 32k tokens that share some of their begin with those. Processor time of the whole call, without making the blocks.
//   --engines 64
//   --rankings 4000           of each length
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Figures } from './figures.mjs';

const PROMPTS = 6_400;
/** Blocks of 64 tokens, and the processor time that a decision may take, microseconds. */
const LENGTHS = [
  { name: '1k tokens', blocks: 16, limit: 50 },
  { name: '32k tokens', blocks: 512, limit: 500 },
];

/** Numbers in [0, 1), the same at each run (Park and Miller). */
function chance() {
  let seed = 7;
  return () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
}

/** A request whose first `shared` blocks are those of its group. */
function requestOf(blocks, shared, group, random) {
  const names = Float64Array.from({ length: blocks }, (_, at) =>
    at < shared ? group * 10_000 + at + 1 : Math.floor(random() * 2 ** 50),
  );
  const prompt = { names, size: blocks * 256, blockSize: 256, unit: 'bytes' };
  const source = { blocks: () => prompt, withAnswer: () => null };
  const facts = { id: 'r', path: '/v1/chat/completions', shape: 'chat', model: 'm', stream: true };
  return { ...facts, session: null, prompt: source };
}

function serve(strategy, request, engine, at) {
  const event = { request, engine, attempt: 1 };
  const usage = { prompt: request.prompt.blocks().size / 4, completion: 200, cached: null };
  const end = { outcome: 'done', status: 200, sinceDispatch: 2_000, usage, answer: null, cause: null };
  strategy.observe({ ...event, type: 'dispatched', at });
  strategy.observe({ ...event, type: 'firstToken', at: at + 200, sinceDispatch: 200 });
  strategy.observe({ ...event, ...end, type: 'finished', at: at + 2_000 });
}

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: {
      engines: { type: 'string', default: '64' },
      rankings: { type: 'string', default: '4000' },
    },
  });
  const { PrefixAwareStrategy } = await import('../dist/routing/strategies/prefix-aware.strategy.js');
  const figures = new Figures();
  const random = chance();
  const strategy = new PrefixAwareStrategy({
    prefixIndexMemory: 256 * 1024 * 1024,
    ttftTarget: null,
    tpotTarget: 0.05,
  });
  const engines = Array.from({ length: Number(values.engines) }, (_, at) => {
    const url = `http://10.0.0.${at}:8000`;
    return { id: url, url, models: [{ id: 'm', parent: null }], labels: {} };
  });
  const candidates = engines.map((engine) => {
    const inFlight = Math.floor(random() * 30);
    return { engine, signals: { inFlight, qps: 0, engineWaiting: null, engineRunning: null } };
  });
  let at = 0;
  for (let sent = 0; sent < PROMPTS; sent++) {
    const { blocks } = LENGTHS[sent % LENGTHS.length];
    const request = requestOf(blocks, Math.ceil(blocks * random()), sent % 100, random);
    serve(strategy, request, engines[Math.floor(random() * engines.length)], (at += 10));
  }
  for (const { name, blocks, limit } of LENGTHS) {
    const asked = Array.from({ length: 200 }, () =>
      requestOf(blocks, Math.ceil(blocks * random()), Math.floor(random() * 100), random),
    );
    const rank = (times) => {
      for (let time = 0; time < times; time++) {
        strategy.rank(asked[time % asked.length], candidates, { now: at, random });
      }
    };
    rank(2_000);
    const before = process.cpuUsage();
    rank(Number(values.rankings));
    const { user, system } = process.cpuUsage(before);
    figures.below(`a decision for ${name}`, (user + system) / Number(values.rankings), limit, 'us');
  }
  for (const {
    name,
    values: [only],
  } of strategy.figures().slice(0, 2))
    figures.note(name, only.value);
  return figures;
}
