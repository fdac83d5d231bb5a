import type { EngineState } from './engine-state.js';
import type { Exchange } from './exchange.js';
import { Choice, stopsOf } from './choice.js';
import { Job } from './job.js';
import { checkLimits, checkMessages, checkSampling, maxTokensOf, modelFor } from './request-checks.js';
import { chatPrompt, completionPrompts, isObject, type JsonObject, type Prompt } from './simulated-text.js';
import { StreamedAnswer } from './streamed-answer.js';
import { WholeAnswer } from './whole-answer.js';
import { chatDialect, completionDialect, type Dialect, DONE_FRAME } from './wire-format.js';
import type { EndedChoice, PromptDetails, SimulatedModel, Turn } from './wire-format.js';
import { hexId, QUEUE_FULL, unixNow } from './wire-format-other.js';
import { messagesDialect, responsesDialect } from './wire-format-responses.js';

/** What differs between the APIs that generate text. */
export interface GenerationApi {
  readonly idPrefix: string;
  readonly dialect: (turn: Turn) => Dialect;
  readonly prompts: (body: JsonObject) => readonly Prompt[];
  readonly hasMessages: boolean;
}

const messagesPrompt = (body: JsonObject): readonly Prompt[] => [
  chatPrompt(Array.isArray(body.messages) ? body.messages : [], body.continue_final_message === true),
];

export const CHAT: GenerationApi = {
  idPrefix: 'chatcmpl-',
  dialect: chatDialect,
  prompts: messagesPrompt,
  hasMessages: true,
};
export const COMPLETION: GenerationApi = {
  idPrefix: 'cmpl-',
  dialect: completionDialect,
  prompts: (body) => completionPrompts(body.prompt),
  hasMessages: false,
};
export const MESSAGES: GenerationApi = { ...CHAT, dialect: messagesDialect };
export const RESPONSES: GenerationApi = {
  idPrefix: 'resp_',
  dialect: responsesDialect,
  prompts: ({ input }) => [chatPrompt(Array.isArray(input) ? input : [{ content: input }])],
  hasMessages: false,
};

/** Sequences of one request at most, prompts times `n`. */
const MAX_CHOICES = 1_024;

/** Checks a generation request and answers it at the engine's pace, as a stream if it asks for one. */
export function generate(exchange: Exchange, state: EngineState, api: GenerationApi, body: JsonObject): void {
  const wrong = (api.hasMessages ? checkMessages(body) : null) ?? checkSampling(state, body);
  if (wrong !== null) return exchange.sendError(wrong);
  const model = modelFor(state, body.model);
  if ('status' in model) return exchange.sendError(model);
  const prompts = api.prompts(body);
  const longest = prompts.reduce((most, { ids }) => Math.max(most, ids.length), 0);
  const refused = checkLimits(state, body, model, longest);
  if (refused !== null) return exchange.sendError(refused);

  const wanted = maxTokensOf(body) as number | undefined;
  const limit = exchange.fault?.hugeAnswer === undefined ? (wanted ?? state.tokens) : 1;
  const choices = choicesOf(exchange, state, body, prompts, limit);
  const jobs: Job[] = [];
  const turn = turnOf(exchange, state, body, api, model, prompts, choices, jobs);
  const dialect = api.dialect(turn);
  if (exchange.fault?.abort !== undefined) return abortWithoutTokens(exchange, state, turn, dialect);

  const streams = body.stream === true;
  const output = streams
    ? new StreamedAnswer(exchange, dialect, choices)
    : new WholeAnswer(exchange, dialect, choices);
  const wish = {
    cacheKey: `${turn.model}\n${typeof body.cache_salt === 'string' ? body.cache_salt : ''}`,
    adapter: model.parent === undefined ? null : model.id,
    maxTokens: limit,
    priority: typeof body.priority === 'number' ? body.priority : 0,
  };
  for (const [index, choice] of choices.entries()) {
    const stopAfter = Math.min(choice.stopAfter, wanted === undefined ? limit : Infinity);
    const { prompt, tokens } = choice;
    const job = new Job(index, prompt, tokens, output, { ...wish, stopAfter }, state.model.capacity);
    jobs.push(job);
  }
  const leave = (): void => {
    for (const job of jobs) state.driver.abort(job);
  };
  if (!state.driver.submit(jobs)) return exchange.sendError(QUEUE_FULL);
  state.load += 1;
  exchange.onOver(() => {
    state.load -= 1;
    leave();
    if (choices.some(({ finish }) => finish === null)) return;
    state.metrics.observeRequest(choices.length, Math.max(...choices.map(({ made }) => made)));
  });
  // When a fault cuts the stream here, the sequences run on until the connection is closed.
  if (output instanceof StreamedAnswer) output.begin(state.sseKeepAliveMs);
}

function choicesOf(
  exchange: Exchange,
  state: EngineState,
  body: JsonObject,
  prompts: readonly Prompt[],
  limit: number,
): readonly Choice[] {
  const n = typeof body.n === 'number' ? body.n : 1;
  const huge = exchange.fault?.hugeAnswer;
  const stops = stopsOf(body.stop);
  const withLogprobs = body.logprobs === true;
  const choices: Choice[] = [];
  for (const prompt of prompts) {
    for (let choice = 0; choice < n && choices.length < MAX_CHOICES; choice += 1) {
      const tokens =
        huge === undefined
          ? state.tokensFor(prompt.text, choice)
          : { ascii: true, text: () => 'x'.repeat(huge), id: () => 0 };
      choices.push(new Choice(prompt, tokens, limit, stops, withLogprobs));
    }
  }
  return choices;
}

function turnOf(
  exchange: Exchange,
  state: EngineState,
  body: JsonObject,
  api: GenerationApi,
  model: SimulatedModel,
  prompts: readonly Prompt[],
  choices: readonly Choice[],
  jobs: readonly Job[],
): Turn {
  const options = isObject(body.stream_options) ? body.stream_options : {};
  return {
    id: api.idPrefix + requestId(exchange, body, api),
    created: unixNow(),
    model: model.parent === undefined ? state.firstName : model.id,
    promptTokens: prompts.reduce((sum, { ids }) => sum + ids.length, 0),
    choices: choices.length,
    includeUsage: options.include_usage === true,
    continuousUsage: options.include_usage === true && options.continuous_usage_stats === true,
    fingerprint: state.fingerprint,
    body,
    details: () => (state.tellsPromptDetails ? detailsOf(jobs, state.model.profile.blockSize) : null),
  };
}

function detailsOf(jobs: readonly Job[], blockSize: number): PromptDetails {
  let cached = 0;
  let blocks = 0;
  for (const { sequence, promptTokens } of jobs) {
    cached += sequence?.cachedTokens ?? 0;
    blocks += Math.floor(promptTokens.length / blockSize);
  }
  return { cached, created: Math.max(0, blocks * blockSize - cached) };
}

/** The client's X-Request-Id, then its body's `request_id`, then 16 random hex digits; `resp_` has no header. */
function requestId(exchange: Exchange, body: JsonObject, api: GenerationApi): string {
  const header = exchange.seen.headers['x-request-id'];
  if (typeof header === 'string' && header !== '' && api.idPrefix !== 'resp_') return header;
  return typeof body.request_id === 'string' && body.request_id !== '' ? body.request_id : hexId();
}

/** What a draining, paused or sleeping engine gives instead of an answer: 200, but no token. */
function abortWithoutTokens(exchange: Exchange, state: EngineState, turn: Turn, dialect: Dialect): void {
  state.model.counters.finished.abort += 1;
  const ended: EndedChoice[] = [{ text: '', finish: 'abort', stop: null, logprobs: null }];
  if (turn.body.stream !== true) return exchange.sendJson(200, dialect.whole(ended, 0));
  if (!exchange.startStream()) return;
  if (exchange.fault?.abort === 'done-only') return exchange.end(DONE_FRAME);
  const frames = [...dialect.opening(), ...dialect.first(), dialect.token(0, '', 0, 'abort', null)];
  for (const frame of [...frames, ...dialect.closing(ended, 0)]) exchange.frame(frame);
  exchange.end();
}
