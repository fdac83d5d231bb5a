// C11: what one worker learns reaches the other. Two workers with prefixaware; each round sends a new long prompt to one of
// them, and some milliseconds after its answer the same prompt to the other, which explains what it believes cached.
//   --rounds 40       prompts for each delay
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { Figures } from './figures.mjs';
import { startRouter, startSimulatedEngine, staticFleet } from './processes.mjs';

const MODEL = 'sim';
const WORKERS = 2;
/** Milliseconds from the end of an answer to the next request. */
const DELAYS = [0, 10, 20, 30, 50, 100];
/** Two waits of 20 ms, and what two event loops add. */
const BATCHES_MS = 50;
const HEADER = 'x-vllm-router-explain';

/** A prompt of some 4,000 characters that nobody has sent before. */
const prompt = (n) => Array.from({ length: 400 }, (_, at) => `p${n}w${at}`).join(' ');

/** Asks on a new connection: these go to the workers in turn. */
async function uncachedOf(url, content) {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close', [HEADER]: '1' },
    body: JSON.stringify({ model: MODEL, max_tokens: 1, messages: [{ role: 'user', content }] }),
  });
  await answer.arrayBuffer();
  const told = answer.headers.get(HEADER) ?? '';
  return { engine: /engine=([^;]*)/.exec(told)?.[1], uncached: Number(/uncached=([\d.]+)/.exec(told)?.[1]) };
}

export async function show(args) {
  const { values } = parseArgs({ args, options: { rounds: { type: 'string', default: '40' } } });
  const rounds = Number(values.rounds);
  const figures = new Figures();
  const engines = await Promise.all([1, 2, 3, 4].map(() => startSimulatedEngine(['--model', MODEL])));
  const urls = engines.map(({ url }) => url);
  const router = await startRouter([
    ...staticFleet(urls, MODEL),
    ...['--routing-logic', 'prefixaware', '--workers', String(WORKERS), '--allow-explain'],
  ]);
  figures.note('workers, engines, prompts for each delay', `${WORKERS}, ${urls.length}, ${rounds}`);
  let n = 0;
  for (const delay of DELAYS) {
    let believed = 0;
    let same = 0;
    for (let round = 0; round < rounds; round++) {
      const content = prompt(n++);
      const first = await uncachedOf(router.url, content);
      if (delay > 0) await sleep(delay);
      const second = await uncachedOf(router.url, content);
      // The last block is not full, and begins that all prompts share are cached in the first round too.
      if (second.uncached < first.uncached / 2) believed++;
      if (second.engine === first.engine) same++;
    }
    const told = `${believed} believed cached by the other worker, ${same} sent to the same engine`;
    if (delay < BATCHES_MS) figures.note(`after ${delay} ms, of ${rounds}`, told);
    else figures.check(`after ${delay} ms, of ${rounds}`, told, `${rounds} believed`, believed === rounds);
  }
  router.kill('SIGTERM');
  for (const engine of engines) engine.kill();
  return figures;
}
