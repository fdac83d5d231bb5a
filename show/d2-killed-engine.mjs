// D2: an engine is killed under load. First one of three simulated engine processes, by SIGKILL, at 200 requests/s and
// with 100 streams open: no request that is not streamed fails, and with --stream-failover continue no stream does;
// each text is, joined, the one that was to come. Then the same with streams of two real vLLM engines on CPU (see
// vllm-engines.mjs for what they need): what greedy decoding gives without a break and with one. Takes two minutes.
//   --rate 200      requests a second, not streamed
//   --streams 100   streams that are open when the engine is killed
//   --vllm-streams 8
//   --only sim|vllm one of the two parts
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Figures } from './figures.mjs';
import { LoadClient } from './load-client.mjs';
import { startRouter, startSimulatedEngine, staticFleet, until } from './processes.mjs';
import { IN_FLIGHT_GAUGES, metrics, sumOf } from './router-state.mjs';
import { VllmEngines } from './vllm-engines.mjs';

const CHAT = '/v1/chat/completions';
const COMPLETIONS = '/v1/completions';
const CONTINUE = ['--routing-logic', 'roundrobin', '--stream-failover', 'continue'];

/** What a client makes of a stream: its text, and whether it is one whole stream. */
class ReadStream {
  #bytes = [];
  frames = 0;

  add(bytes) {
    this.#bytes.push(Buffer.from(bytes));
    this.frames += 1;
  }

  /** Null when nothing is wrong with it. */
  get problem() {
    return this.#read().problem;
  }

  get text() {
    return this.#read().text;
  }

  get usage() {
    return this.#read().usage;
  }

  #read() {
    const frames = Buffer.concat(this.#bytes)
      .toString()
      .split('\n\n')
      .filter((frame) => frame.startsWith('data: '));
    let [text, usage, finish, roles] = ['', null, null, 0];
    const ids = new Set();
    for (const frame of frames) {
      const data = frame.slice('data: '.length);
      if (data === '[DONE]') continue;
      const body = JSON.parse(data);
      if (body.error) return { text, usage, problem: `error event: ${body.error.message}` };
      ids.add(`${body.id} ${body.created} ${body.model}`);
      usage = body.usage ?? usage;
      const [choice] = body.choices;
      if (choice === undefined) continue;
      text += choice.delta?.content ?? choice.text ?? '';
      if (choice.delta?.role) roles += 1;
      if (choice.finish_reason) finish = (finish ?? '') + choice.finish_reason;
    }
    const whole = frames.at(-1) === 'data: [DONE]' && finish === 'length' && ids.size === 1 && roles <= 1;
    return { text, usage, problem: whole ? null : `not one whole stream: ${finish}, ${ids.size} ids` };
  }
}

/** A request of a kind of its own for each number: chats and completions, with and without token counts. */
function request(model, number, tokens, stream, fields) {
  const prompt = `w${number % 250} w${(number * 7) % 250} w${(number * 13) % 250}`;
  const chat = number % 3 !== 2;
  const usage = stream && number % 2 === 0 ? { stream_options: { include_usage: true } } : {};
  const question = chat ? { messages: [{ role: 'user', content: prompt }] } : { prompt };
  const body = {
    model,
    stream,
    max_tokens: tokens,
    temperature: 0,
    ignore_eos: true,
    ...usage,
    ...question,
    ...fields,
  };
  return { path: chat ? CHAT : COMPLETIONS, body: JSON.stringify(body) };
}

/** Opens `count` streams; each resolves with what was wrong with it. */
function openStreams(client, count, tokens, model, fields = {}) {
  return Array.from({ length: count }, (_, number) => {
    const read = new ReadStream();
    const { answer } = client.request({
      ...request(model, number, tokens, true, fields),
      onBody: (bytes) => read.add(bytes),
    });
    const problem = answer.then(
      ({ status }) => (status === 200 ? read.problem : `status ${status}`),
      (error) => error.message,
    );
    return { read, problem };
  });
}

/** Judges streams by the text and the counts that an engine gives alone. */
async function judge(figures, name, streams, expected, killed) {
  const problems = (await Promise.all(streams.map(({ problem }) => problem))).filter((one) => one !== null);
  figures.equal(`${name}: failed streams, of ${streams.length}`, problems.length, 0);
  if (problems.length > 0) figures.note(`${name}: first failure`, problems[0].slice(0, 90));
  const other = streams.filter(({ read }, i) => read.text !== expected[i].read.text).length;
  figures.equal(`${name}: streams with another text than without a break`, other, 0);
  const counts = streams.filter(
    ({ read }, i) => JSON.stringify(countsOf(read)) !== JSON.stringify(countsOf(expected[i].read)),
  ).length;
  figures.equal(`${name}: streams with other token counts`, counts, 0);
  figures.check(`${name}: streams that went on at another engine`, killed, '> 0', killed > 0);
}

const countsOf = ({ usage }) =>
  usage === null ? null : [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens];

const continued = async (router) =>
  sumOf(await metrics(router), 'vllm_router_stream_continuations_total', 'outcome="continued"');

/** The requests that are not streamed, at an even rate until told to stop. */
function load(client, rate, model) {
  const outcomes = [];
  const under = [];
  let stop = false;
  const startedAt = performance.now();
  const running = (async () => {
    // As many as are due, so that a late timer lowers no rate.
    for (let number = 0; !stop; number += 1) {
      const { path, body } = request(model, number, 8, false, {});
      const { answer } = client.request({ path, body });
      under.push(
        answer.then(
          ({ status, body: bytes }) => outcomes.push(status === 200 ? wrongIn(bytes) : `status ${status}`),
          (error) => outcomes.push(error.message),
        ),
      );
      const wait = startedAt + ((number + 1) * 1_000) / rate - performance.now();
      if (wait > 0) await sleep(wait);
    }
    await Promise.all(under);
  })();
  return {
    outcomes,
    async end() {
      stop = true;
      await running;
      return (outcomes.length * 1_000) / (performance.now() - startedAt);
    },
  };
}

function wrongIn(bytes) {
  const { usage, choices } = JSON.parse(bytes.toString());
  return usage.completion_tokens === 8 && choices[0].finish_reason === 'length' ? null : 'cut short';
}

async function simulated(figures, { rate, streams: count }) {
  const flags = ['--model', 'tiny', '--ttft', '20', '--itl', '40'];
  const engines = await Promise.all([1, 2, 3].map(() => startSimulatedEngine(flags)));
  const router = await startRouter([
    ...staticFleet(
      engines.map(({ url }) => url),
      'tiny',
    ),
    ...CONTINUE,
  ]);
  const tokens = 150;
  const expected = openStreams(new LoadClient(engines[1].url), count, tokens, 'tiny');
  await Promise.all(expected.map(({ problem }) => problem));

  const client = new LoadClient(router.url);
  const requests = load(client, rate, 'tiny');
  const streams = openStreams(client, count, tokens, 'tiny');
  await until(
    'every stream has text, and some requests are answered',
    async () => requests.outcomes.length > rate && streams.every(({ read }) => read.frames > 10),
  );
  const before = requests.outcomes.length;
  engines[0].kill('SIGKILL');
  await Promise.all(streams.map(({ problem }) => problem));
  const pace = await requests.end();
  const failed = requests.outcomes.filter((outcome) => outcome !== null);
  figures.check('simulated: requests a second', pace.toFixed(0), `>= ${rate * 0.9}`, pace >= rate * 0.9);
  figures.note(
    'simulated: requests before / after the kill',
    `${before} / ${requests.outcomes.length - before}`,
  );
  figures.equal('simulated: failed requests that were not streamed', failed.length, 0);
  if (failed.length > 0) figures.note('simulated: first failure', failed[0]);
  await judge(figures, 'simulated', streams, expected, await continued(router));
  figures.equal('simulated: in flight at the end', sumOf(await metrics(router), IN_FLIGHT_GAUGES[0]), 0);
  await router.stop();
  await Promise.all(engines.map((engine) => engine.stop()));
}

async function real(figures, count) {
  const engines = new VllmEngines();
  console.log('  starting two vLLM engines, 30 to 80 s');
  await engines.up();
  const router = await startRouter([...staticFleet(engines.urls, 'tiny'), ...CONTINUE]);
  const tokens = 1_200;
  // Without a penalty this model says the same two words again and again. Tokens that have no text, the ends that
  // ignore_eos passes over among them, are no part of the text so far: a model that is in use does not make them.
  const withoutText = [0, 1, 2, 3];
  const fields = {
    repetition_penalty: 1.3,
    logit_bias: Object.fromEntries(withoutText.map((id) => [id, -100])),
  };
  const expected = openStreams(new LoadClient(engines.url('b')), count, tokens, 'tiny', fields);
  await Promise.all(expected.map(({ problem }) => problem));
  const texts = expected.map(({ read }) => read.text);
  const words = texts.map((text) => new Set(text.trim().split(/\s+/)).size);
  figures.note('vLLM: different words in a text, at least', Math.min(...words));

  const client = new LoadClient(router.url);
  const streams = openStreams(client, count, tokens, 'tiny', fields);
  await until('every stream has text', async () => streams.every(({ read }) => read.frames > 20));
  engines.signal('a', 'SIGKILL', true);
  const sentBefore = streams.map(({ read }) => read.text.length);
  await Promise.all(streams.map(({ problem }) => problem));
  await judge(figures, 'vLLM', streams, expected, await continued(router));
  const part = sentBefore.map((sent, i) => (100 * sent) / Math.max(1, texts[i].length));
  figures.note(
    'vLLM: of the texts there at the kill',
    `${Math.min(...part).toFixed(0)} to ${Math.max(...part).toFixed(0)} %`,
  );
  figures.equal('vLLM: in flight at the end', sumOf(await metrics(router), IN_FLIGHT_GAUGES[0]), 0);
  await router.stop();
  engines.down();
}

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: {
      rate: { type: 'string', default: '200' },
      streams: { type: 'string', default: '100' },
      'vllm-streams': { type: 'string', default: '8' },
      only: { type: 'string' },
    },
  });
  const figures = new Figures();
  if (values.only !== 'vllm')
    await simulated(figures, { rate: Number(values.rate), streams: Number(values.streams) });
  if (values.only !== 'sim') await real(figures, Number(values['vllm-streams']));
  return figures;
}
