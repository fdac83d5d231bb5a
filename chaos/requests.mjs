// What clients ask, from the seed alone, and what a whole answer to it is.
import {
  chatPrompt,
  completionPrompts,
  countWords,
  textOf,
  tokensFor,
} from '../dist/simulator/http/simulated-text.js';
import { Random } from './random.mjs';

const APIS = { chat: 10, completions: 6, messages: 2, responses: 2, tokenize: 1 };

/** What clients do; all but `GOOD` leave or lie, and are owed nothing but to be no harm. */
const BEHAVIOURS = {
  waits: 60,
  stalls: 6,
  trickles: 6,
  pipelines: 4,
  'leaves before its body': 3,
  'leaves in its body': 3,
  'leaves while it waits': 6,
  'leaves in the answer': 6,
  'closes its side': 2,
  'tells a smaller length': 2,
  'tells a larger length': 2,
};
const GOOD = new Set(['waits', 'stalls', 'trickles', 'pipelines']);

const PATHS = {
  chat: '/v1/chat/completions',
  completions: '/v1/completions',
  messages: '/v1/messages',
  responses: '/v1/responses',
  tokenize: '/tokenize',
};

/** Bytes of the answer text from which on the router does not wait for the end of a JSON answer. */
const HUGE = 1_500_000;

const WORDS = [
  'router',
  'engine',
  'token',
  'fleet',
  'größe',
  '東京',
  'stream',
  '"quoted"',
  'back\\slash',
  '🙂',
  'l'.repeat(40),
];

/** Makes one request after the other; the same seed makes the same ones. */
export class RequestMaker {
  #random;
  #number = 0;
  #at = 0;

  /** @param {{ seed: number, rate: number, mostTokens?: number }} wish `rate` a second */
  constructor({ seed, rate, mostTokens = 300 }) {
    this.#random = new Random(seed, 'requests');
    this.rate = rate;
    this.seed = seed;
    this.mostTokens = mostTokens;
  }

  /** When the next one is sent, milliseconds of the run. */
  get nextAt() {
    return this.#at;
  }

  next() {
    const random = this.#random;
    const number = this.#number++;
    this.#at += random.gap(this.rate);
    const api = random.weighted(APIS);
    const stream = api !== 'tokenize' && random.chance(0.6);
    const behaviour = random.weighted(BEHAVIOURS);
    const asked = {
      number,
      id: `chaos-${this.seed}-${number}`,
      model: random.pick(['alpha', 'beta']),
      api,
      stream,
      behaviour,
      good: GOOD.has(behaviour),
      tokens: random.logWhole(1, this.mostTokens),
      usage: random.chance(0.5),
      choices: random.chance(0.1) && (api === 'chat' || api === 'completions') ? 2 : 1,
      huge: api === 'chat' && !stream && random.chance(0.03),
      session: `user-${random.whole(0, 20)}`,
      /** For what the client does, 0 to 1 each. */
      dice: [random.next(), random.next(), random.next()],
    };
    asked.prompt = promptOf(asked.id, random);
    return { ...asked, ...wireOf(asked), expected: expectedOf(asked) };
  }
}

/** The id comes first, so that no two are alike; a few are larger than what is parsed at once. */
function promptOf(id, random) {
  const words = random.chance(0.02) ? random.whole(30_000, 100_000) : random.logWhole(1, 2_000);
  const some = Array.from({ length: Math.min(words, 64) }, () => random.pick(WORDS));
  let text = id;
  for (let index = 0; index < words; index += 1) text += ` ${some[index % some.length]}`;
  return text;
}

function wireOf({ api, model, prompt, stream, tokens, usage, choices, huge, session, id }) {
  const messages = [{ role: 'user', content: prompt }];
  const common = { model, stream, max_tokens: tokens };
  const options = stream && usage ? { stream_options: { include_usage: true } } : {};
  const n = choices > 1 ? { n: choices } : {};
  const bodies = {
    chat: { ...common, messages, ...options, ...n },
    completions: { ...common, prompt, ...options, ...n },
    messages: { ...common, messages },
    responses: { model, stream, max_output_tokens: tokens, input: prompt },
    tokenize: { model, prompt },
  };
  const headers = { 'x-request-id': id, 'x-user-id': session };
  if (huge) headers['x-sim-fault'] = JSON.stringify({ hugeAnswer: HUGE });
  return { path: PATHS[api], headers, body: Buffer.from(JSON.stringify(bodies[api])) };
}

/** Texts of all choices, or the number of tokens: every engine makes the same of the same prompt. */
function expectedOf({ api, prompt, tokens, choices, huge }) {
  if (api === 'tokenize') return { texts: [], count: countWords(prompt) };
  if (huge) return { texts: Array.from({ length: choices }, () => 'x'.repeat(HUGE)), count: choices };
  const text =
    api === 'completions' ? completionPrompts(prompt)[0].text : chatPrompt([{ content: prompt }]).text;
  const texts = Array.from({ length: choices }, (_, index) => textOf(tokensFor(text, index), tokens));
  return { texts, count: tokens * choices };
}
