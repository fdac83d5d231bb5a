// C6: prompts meet the caches of real engines. Two vLLM engines on CPU (see vllm-engines.mjs for what it needs) with prefix
// caching, as is vLLM's default. Conversations of several turns, each with the answers before it, go through a router
// with one strategy after the other; what share of the prompts was cached is what the engines' own counters say.
// Takes about two minutes, half of it for the start of the engines.
//   --rounds 2           runs of each strategy
//   --conversations 12   in each run
//   --turns 4            of each conversation
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { Figures } from './figures.mjs';
import { LoadClient } from './load-client.mjs';
import { startRouter, staticFleet, until } from './processes.mjs';
import { metrics, sumOf } from './router-state.mjs';
import { VllmEngines } from './vllm-engines.mjs';

const MODEL = 'tiny';
const STRATEGIES = ['prefixaware', 'session', 'roundrobin'];
const SESSION_HEADER = 'x-user-id';
/** Applications, whose system prompts differ, and the tokens of each of these. */
const SYSTEMS = 4;
const SYSTEM = 600;
/** Tokens of a user's turn and of an answer; a block of the engines' caches has 32. */
const [LEAST_TURN, MORE_TURN] = [80, 160];
const ANSWER = 48;
/**
 * Milliseconds from one conversation's begin to the next one's, and from an answer to the next turn. People read before
 * they go on. Without such pauses engines are crowded, and prefixaware gives up some hits to spare requests a wait: with
 * at most 600 ms and one system prompt of 400 tokens it had 75.3 %, session 78.5 %, roundrobin 65.2 %.
 */
const STAGGER_MS = 200;
const [LEAST_THINK_MS, MORE_THINK_MS] = [1_000, 2_000];
/** Words of the model's vocabulary, each of them one token. */
const WORDS = 300;

function seeded(seed) {
  let state = (Math.imul(seed, 2654435761) + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const text = (random, words) =>
  Array.from({ length: words }, () => `w${Math.floor(random() * WORDS)}`).join(' ');

/**
 * One conversation: each turn goes out some time after the one before it is answered. Lengths and times follow from `plan`,
 * words from `seed`. Returns the tokens of its prompts and the milliseconds of its answers.
 */
async function converse(client, { system, plan, seed, name, turns }) {
  const [lengths, words] = [seeded(plan), seeded(seed)];
  const messages = [{ role: 'system', content: system }];
  let tokens = 0;
  const waits = [];
  for (let turn = 0; turn < turns; turn++) {
    if (turn > 0) await sleep(LEAST_THINK_MS + lengths() * MORE_THINK_MS);
    messages.push({ role: 'user', content: text(words, LEAST_TURN + Math.floor(lengths() * MORE_TURN)) });
    const { status, body, ms } = await client.request({
      path: '/v1/chat/completions',
      headers: { [SESSION_HEADER]: name },
      body: JSON.stringify({ model: MODEL, max_tokens: ANSWER, temperature: 0, ignore_eos: true, messages }),
    }).answer;
    if (status !== 200) throw new Error(`an answer with status ${status}: ${body.toString().slice(0, 200)}`);
    const { choices, usage } = JSON.parse(body.toString());
    tokens += usage.prompt_tokens;
    waits.push(ms);
    messages.push({ role: 'assistant', content: choices[0].message.content });
  }
  return { tokens, waits };
}

/** What the engines have counted since they began: tokens looked up in their caches, and those found. */
async function counted(urls) {
  const told = await Promise.all(urls.map((url) => metrics({ url })));
  const sum = (name) => told.reduce((total, samples) => total + sumOf(samples, name), 0);
  return { queries: sum('vllm:prefix_cache_queries_total'), hits: sum('vllm:prefix_cache_hits_total') };
}

/** One run of a strategy, by a router of its own, with words that no engine has seen. */
async function run(urls, strategy, { plan, seed, conversations, turns }) {
  const router = await startRouter([
    ...staticFleet(urls, MODEL),
    ...['--routing-logic', strategy, '--session-key', SESSION_HEADER, '--engine-stats-interval', '5'],
  ]);
  const client = new LoadClient(router.url);
  const before = await counted(urls);
  const words = seeded(seed);
  const systems = Array.from({ length: SYSTEMS }, () => text(words, SYSTEM));
  const all = [];
  for (let at = 0; at < conversations; at++) {
    const ids = { plan: plan * 1_000 + at, seed: seed * 1_000 + at, name: `user-${plan}-${at}` };
    all.push(converse(client, { ...ids, system: systems[at % SYSTEMS], turns }));
    await sleep(STAGGER_MS);
  }
  const ended = await Promise.all(all);
  const prompts = ended.reduce((sum, { tokens }) => sum + tokens, 0);
  const waits = ended.flatMap((one) => one.waits);
  const delta = async () => {
    const after = await counted(urls);
    return { queries: after.queries - before.queries, hits: after.hits - before.hits };
  };
  await until('the engines have counted all prompts', async () => (await delta()).queries >= prompts);
  const told = await metrics(router);
  const byEngine = urls.map((url) => sumOf(told, 'vllm_router_requests_total', `engine="${url}"`));
  await router.stop();
  return { ...(await delta()), byEngine, ms: waits.reduce((sum, one) => sum + one, 0) / waits.length };
}

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '2' },
      conversations: { type: 'string', default: '12' },
      turns: { type: 'string', default: '4' },
    },
  });
  const [rounds, conversations, turns] = [values.rounds, values.conversations, values.turns].map(Number);
  const engines = new VllmEngines();
  const figures = new Figures();
  console.log('  starting two vLLM engines, 30 to 80 s');
  await engines.up();
  const totals = new Map(STRATEGIES.map((strategy) => [strategy, { queries: 0, hits: 0 }]));
  figures.note(
    'a run',
    `${conversations} conversations of ${turns} turns, ${SYSTEMS} system prompts of ${SYSTEM} tokens`,
  );
  for (let round = 1; round <= rounds; round++) {
    for (const [at, strategy] of STRATEGIES.entries()) {
      const seed = round * STRATEGIES.length + at;
      const { queries, hits, byEngine, ms } = await run(engines.urls, strategy, {
        ...{ plan: round, seed, conversations, turns },
      });
      const total = totals.get(strategy);
      total.queries += queries;
      total.hits += hits;
      const value = `${hits} of ${queries} tokens, ${((100 * hits) / queries).toFixed(2)} %`;
      figures.note(
        `round ${round}, ${strategy}`,
        `${value}; ${byEngine.join(' and ')} requests, ${ms.toFixed(0)} ms each`,
      );
    }
  }
  engines.down();
  const rate = (strategy) => (100 * totals.get(strategy).hits) / totals.get(strategy).queries;
  const [aware, session, robin] = STRATEGIES.map(rate);
  figures.note('roundrobin, all rounds', `${robin.toFixed(2)} %`);
  figures.note('session, all rounds', `${session.toFixed(2)} %`);
  const value = `${aware.toFixed(2)} %`;
  figures.check('prefixaware, all rounds', value, '> roundrobin', aware > robin);
  figures.check('the same', value, '>= session', aware >= session);
  return figures;
}
