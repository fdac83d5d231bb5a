// A3: two real vLLM engines on CPU (see vllm-engines.mjs for what it needs). The official openai Python client gets
// through the router what it gets from an engine; an engine killed with SIGKILL under 50 concurrent requests costs no
// client an error; after SIGTERM, where vLLM mostly falls silent, each of 50 clients has an answer or an error within
// 15 s. Takes about three minutes: an engine starts in 30 to 80 s.
//   --tokens 150   length of an answer under SIGKILL; four times that under SIGTERM
//   --limit 15     seconds from SIGTERM to the end of the slowest client
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Figures } from './figures.mjs';
import { LoadClient, StreamTally } from './load-client.mjs';
import { run, ROOT, startRouter, staticFleet, until } from './processes.mjs';
import { metrics, sumOf, IN_FLIGHT_GAUGES } from './router-state.mjs';
import { VllmEngines } from './vllm-engines.mjs';
import { join } from 'node:path';

const MODEL = 'tiny';
const CLIENTS = 50;

const chat = (number, tokens, stream) =>
  JSON.stringify({
    model: MODEL,
    stream,
    max_tokens: tokens,
    temperature: 0,
    ignore_eos: true,
    messages: [{ role: 'user', content: `w${number} w${number + 1} w${number + 2}` }],
  });

/** Runs the client against `url`; its results by name. */
async function openaiResults(engines, url) {
  const { code, output } = await run(engines.python, [
    join(ROOT, 'show', 'openai-client.py'),
    `${url}/v1`,
    MODEL,
  ]);
  if (code !== 0) throw new Error(`the openai client failed against ${url}:\n${output.slice(-1500)}`);
  return JSON.parse(output.trim().split('\n').at(-1));
}

async function compareClients(figures, engines, router) {
  const direct = await openaiResults(engines, engines.url('a'));
  const routed = await openaiResults(engines, router.url);
  // vLLM itself has no GET /v1/models/{id}; OpenAI has, and so has the router.
  direct.model = [MODEL];
  for (const [name, expected] of Object.entries(direct)) {
    const same = JSON.stringify(routed[name]) === JSON.stringify(expected);
    const value = JSON.stringify(routed[name]).slice(0, 60);
    figures.check(`openai client: ${name}`, value, 'as from an engine', same);
  }
}

/** Requests that the router has at an engine now. vLLM's own figures come late when it is busy. */
const inFlightAt = async (router, url) =>
  sumOf(await metrics(router), IN_FLIGHT_GAUGES[0], `engine="${url}"`);

/** Kills engine A while 50 clients send one request after the other, none of them streamed. */
async function killUnderLoad(figures, engines, router, tokens) {
  const client = new LoadClient(router.url);
  const outcomes = [];
  let stop = false;
  const before = await metrics(router);
  const clients = Array.from({ length: CLIENTS }, async (_, number) => {
    for (let round = 0; !stop; round += 1) {
      const body = chat(number * 7 + round, tokens, false);
      const outcome = await client.request({ path: '/v1/chat/completions', body }).answer.then(
        ({ status, body: text }) => judged(status, text, tokens),
        (error) => error.message,
      );
      outcomes.push(outcome);
    }
  });
  await until('some answers are there', async () => outcomes.length >= CLIENTS / 2);
  await until('engine A is busy', async () => (await inFlightAt(router, engines.url('a'))) >= CLIENTS / 5);
  const atKill = await inFlightAt(router, engines.url('a'));
  engines.signal('a', 'SIGKILL', true);
  const beforeKill = outcomes.length;
  await sleep(3_000);
  stop = true;
  await Promise.all(clients);
  const after = await metrics(router);
  const failed = outcomes.filter((outcome) => outcome !== null);
  figures.note('SIGKILL: at engine A when it was killed', `${atKill} requests`);
  figures.note('SIGKILL: answers before / after', `${beforeKill} / ${outcomes.length - beforeKill}`);
  const retried = sumOf(after, 'vllm_router_retries_total') - sumOf(before, 'vllm_router_retries_total');
  figures.check('SIGKILL: attempts that moved to engine B', retried, '> 0', retried > 0);
  figures.check('SIGKILL: clients that saw an error', failed.length, '0', failed.length === 0);
  if (failed.length > 0) figures.note('SIGKILL: first error', failed[0]);
}

/** Null for a whole answer, else what is wrong with it. */
function judged(status, text, tokens) {
  if (status !== 200) return `${status} ${text.toString().slice(0, 200)}`;
  const { usage, choices } = JSON.parse(text.toString());
  const whole = usage.completion_tokens === tokens && choices[0].finish_reason === 'length';
  return whole ? null : `cut short: ${usage.completion_tokens} tokens, ${choices[0].finish_reason}`;
}

/** Starts 50 requests, half of them streams; resolves when some streams have begun. */
async function fiftyRequests(client, tokens) {
  const tallies = [];
  const requests = Array.from({ length: CLIENTS }, (_, number) => {
    // In pairs, so that both engines get both kinds.
    const stream = number % 4 < 2;
    const tally = new StreamTally();
    tallies.push(tally);
    const body = chat(number * 5, tokens, stream);
    const request = { path: '/v1/chat/completions', body };
    const { answer } = client.request(stream ? { ...request, onBody: (bytes) => tally.add(bytes) } : request);
    return answer.then(
      ({ status, body: text }) => {
        const wrong = stream ? streamProblem(status, tally) : judged(status, text, tokens);
        return { stream, wrong, endedAt: performance.now() };
      },
      (error) => ({ stream, wrong: error.message, endedAt: performance.now() }),
    );
  });
  await until('some streams have begun', async () => tallies.filter(({ frames }) => frames > 5).length >= 4);
  return { requests };
}

/** Ends engine A with SIGTERM while 50 clients wait, half of them for a stream. */
async function terminateUnderLoad(figures, engines, router, tokens, limit) {
  const client = new LoadClient(router.url);
  let { requests } = await fiftyRequests(client, tokens);
  let atSignal = await inFlightAt(router, engines.url('a'));
  // A pause of this machine can let engine A finish first; then the signal would meet an idle engine.
  for (let round = 0; round < 5 && atSignal < 10; round += 1) {
    await Promise.all(requests);
    ({ requests } = await fiftyRequests(client, tokens));
    atSignal = await inFlightAt(router, engines.url('a'));
  }
  const signalledAt = performance.now();
  engines.signal('a', 'SIGTERM');
  const deadline = sleep(2_000 * limit, 'late', { ref: false });
  const outcomes = await Promise.all(requests.map((request) => Promise.race([request, deadline])));
  const ended = outcomes.filter((outcome) => outcome !== 'late');
  figures.check('SIGTERM: requests at engine A at that moment', atSignal, '>= 10', atSignal >= 10);
  figures.equal('SIGTERM: clients with an answer or an error', ended.length, CLIENTS);
  const early = ended.filter((one) => one.endedAt < signalledAt).length;
  figures.note('SIGTERM: answers that were there before it', early);
  figures.note('SIGTERM: whole answers', ended.filter(({ wrong }) => wrong === null).length);
  const errors = ended.filter(({ wrong }) => wrong !== null);
  figures.note(
    'SIGTERM: errors, streams / others',
    [true, false].map((kind) => errors.filter(({ stream }) => stream === kind).length).join(' / '),
  );
  if (errors.length > 0) figures.note('SIGTERM: first error', errors[0].wrong.slice(0, 90));
  const endedAt = (kind) => Math.max(signalledAt, ...kind.map((one) => one.endedAt));
  const slowest = (kind) => ((endedAt(kind) - signalledAt) / 1000).toFixed(1);
  figures.note(
    'SIGTERM: slowest whole answer / error',
    `${slowest(ended.filter(({ wrong }) => wrong === null))} / ${slowest(errors)} s after the signal`,
  );
  const last = ended.length < CLIENTS ? Infinity : (endedAt(ended) - signalledAt) / 1000;
  figures.below('SIGTERM: slowest client, after the signal', last, limit, 's');
}

function streamProblem(status, tally) {
  if (status !== 200) return `${status}`;
  if (tally.error !== null) return tally.error;
  return tally.done ? null : 'no [DONE]';
}

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: { tokens: { type: 'string', default: '150' }, limit: { type: 'string', default: '15' } },
  });
  const tokens = Number(values.tokens);
  const engines = new VllmEngines();
  const figures = new Figures();
  console.log('  starting two vLLM engines, 30 to 80 s');
  await engines.up();
  const flags = [...staticFleet(engines.urls, MODEL), '--routing-logic', 'roundrobin'];
  const router = await startRouter(flags);

  await compareClients(figures, engines, router);
  await killUnderLoad(figures, engines, router, tokens);
  console.log('  starting engine A again');
  engines.down('a');
  await engines.up('a');
  await sleep(1_000);
  // Longer answers, so that the signal finds most of them under way.
  await terminateUnderLoad(figures, engines, router, 4 * tokens, Number(values.limit));
  await until(
    'no request is in flight',
    async () => sumOf(await metrics(router), IN_FLIGHT_GAUGES[0]) === 0,
    5_000,
  );
  figures.equal('requests in flight at the end', sumOf(await metrics(router), IN_FLIGHT_GAUGES[0]), 0);
  await router.stop();
  engines.down();
  return figures;
}
