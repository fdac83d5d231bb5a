import type { EngineState } from './engine-state.js';
import type { Exchange } from './exchange.js';
import { checkLimits, checkMessages, maxTokensOf, modelFor } from './request-checks.js';
import { chatPrompt, completionPrompts, isObject, type JsonObject, type Prompt } from './simulated-text.js';
import { textOf } from './simulated-text.js';
import type { PacedJob } from './token-pacer.js';
import { chatDialect, completionDialect, type Dialect, DONE_FRAME } from './wire-format.js';
import type { FinishReason, Turn } from './wire-format.js';
import { ENGINE_DEAD, hexId, unixNow } from './wire-format-other.js';
import { messagesDialect, responsesDialect } from './wire-format-responses.js';

/** What differs between the APIs that generate text. */
export interface GenerationApi {
  readonly idPrefix: string;
  readonly dialect: (turn: Turn) => Dialect;
  readonly prompts: (body: JsonObject) => readonly Prompt[];
  readonly hasMessages: boolean;
}

const messagesPrompt = (body: JsonObject): readonly Prompt[] => [
  chatPrompt(Array.isArray(body.messages) ? body.messages : []),
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

/** A generation that has been checked and may be scheduled. */
interface Plan {
  readonly turn: Turn;
  readonly dialect: Dialect;
  readonly prompts: readonly Prompt[];
  /** Tokens for each prompt. */
  readonly tokens: number;
  readonly finish: FinishReason;
  readonly scope: string;
}

/** Checks a generation request and answers it at the engine's pace, as a stream if it asks for one. */
export function generate(exchange: Exchange, state: EngineState, api: GenerationApi, body: JsonObject): void {
  const wrong = api.hasMessages ? checkMessages(body) : null;
  if (wrong !== null) return exchange.sendError(wrong);
  const model = modelFor(state, body.model);
  if ('status' in model) return exchange.sendError(model);
  const prompts = api.prompts(body);
  const promptTokens = prompts.reduce((sum, prompt) => sum + prompt.tokens, 0);
  const refused = checkLimits(state, body, model, promptTokens);
  if (refused !== null) return exchange.sendError(refused);

  const options = isObject(body.stream_options) ? body.stream_options : {};
  const wanted = maxTokensOf(body) as number | undefined;
  const huge = exchange.fault?.hugeAnswer !== undefined;
  const turn: Turn = {
    id: api.idPrefix + requestId(exchange, body, api),
    created: unixNow(),
    model: model.parent === undefined ? state.firstName : model.id,
    promptTokens,
    includeUsage: options.include_usage === true,
    continuousUsage: options.include_usage === true && options.continuous_usage_stats === true,
    fingerprint: state.fingerprint,
    body,
  };
  const plan: Plan = {
    turn,
    dialect: api.dialect(turn),
    prompts,
    tokens: huge ? 1 : (wanted ?? state.tokens),
    finish: wanted === undefined ? 'stop' : 'length',
    scope: model.parent === undefined ? '' : model.id,
  };
  if (exchange.fault?.abort !== undefined) abortWithoutTokens(exchange, state, plan);
  else if (body.stream === true) stream(exchange, state, plan);
  else answerWhole(exchange, state, plan);
}

/** The client's X-Request-Id, then its body's `request_id`, then 16 random hex digits; `resp_` has no header. */
function requestId(exchange: Exchange, body: JsonObject, api: GenerationApi): string {
  const header = exchange.seen.headers['x-request-id'];
  if (typeof header === 'string' && header !== '' && api.idPrefix !== 'resp_') return header;
  return typeof body.request_id === 'string' && body.request_id !== '' ? body.request_id : hexId();
}

/** Takes a slot, runs `step` at the pace, and gives the slot back when the exchange is over or `done`. */
function schedule(
  exchange: Exchange,
  state: EngineState,
  plan: Plan,
  pace: { delay: number; interval: number },
  step: (job: PacedJob, done: () => void) => 'more' | 'wait' | 'over',
): void {
  let job: PacedJob | null = null;
  let held = 0;
  const ticket = state.slots.enter(() => {
    held = plan.turn.promptTokens;
    state.heldTokens += held;
    const begun = state.pacer.run(pace.delay, pace.interval, () => step(begun, leave));
    job = begun;
  });
  const leave = (): void => {
    state.heldTokens -= held;
    held = 0;
    ticket.leave();
    job?.cancel();
  };
  exchange.onOver(leave);
}

function countPrompt(state: EngineState, plan: Plan): void {
  state.promptTokens += plan.turn.promptTokens;
  for (const prompt of plan.prompts) state.cache.add(plan.scope, prompt.text, prompt.tokens);
}

function stream(exchange: Exchange, state: EngineState, plan: Plan): void {
  if (!exchange.startStream()) return;
  const { dialect, tokens, finish } = plan;
  for (const frame of dialect.opening()) exchange.frame(frame);
  const prompt = plan.prompts.map(({ text }) => text).join('\n');
  const huge = exchange.fault?.hugeAnswer;
  const token = huge === undefined ? state.tokensFor(prompt) : () => 'x'.repeat(huge);
  let count = 0;
  const pace = { delay: state.timeToFirstToken, interval: state.tokenInterval };
  schedule(exchange, state, plan, pace, (job, done) => {
    if (exchange.over) return 'over';
    if (count === 0) {
      countPrompt(state, plan);
      for (const frame of dialect.first()) exchange.frame(frame);
    }
    const text = token(count);
    count += 1;
    state.generationTokens += 1;
    const isLast = count === tokens;
    const hasRoom = exchange.frame(dialect.token(text, count, isLast ? finish : null));
    if (isLast) {
      for (const frame of dialect.closing(textOf(token, tokens), count, finish)) exchange.frame(frame);
      if (exchange.over) return 'over';
      state.finished[finish] += 1;
      exchange.end();
      done();
      return 'over';
    }
    if (hasRoom || exchange.over) return 'more';
    exchange.onDrain(() => job.wake());
    return 'wait';
  });
}

function answerWhole(exchange: Exchange, state: EngineState, plan: Plan): void {
  const { dialect, tokens, finish, prompts } = plan;
  const delay = state.timeToFirstToken + state.tokenInterval * (tokens - 1);
  schedule(exchange, state, plan, { delay, interval: 0 }, (_job, done) => {
    if (exchange.over) return 'over';
    countPrompt(state, plan);
    const count = tokens * prompts.length;
    state.generationTokens += count;
    state.finished[finish] += 1;
    const huge = exchange.fault?.hugeAnswer;
    const texts =
      huge === undefined
        ? prompts.map(({ text }) => textOf(state.tokensFor(text), tokens))
        : ['x'.repeat(huge)];
    if (exchange.fault?.errorEvent === true) exchange.sendError(ENGINE_DEAD);
    else exchange.sendJson(200, dialect.whole(texts, count, finish));
    if (exchange.seen.finished !== 'open' || exchange.response.writableEnded) done();
    return 'over';
  });
}

/** What a draining, paused or sleeping engine gives instead of an answer: 200, but no token. */
function abortWithoutTokens(exchange: Exchange, state: EngineState, { turn, dialect }: Plan): void {
  state.finished.abort += 1;
  if (turn.body.stream !== true) return exchange.sendJson(200, dialect.whole([''], 0, 'abort'));
  if (!exchange.startStream()) return;
  if (exchange.fault?.abort === 'done-only') return exchange.end(DONE_FRAME);
  const frames = [...dialect.opening(), ...dialect.first(), dialect.token('', 0, 'abort')];
  for (const frame of [...frames, ...dialect.closing('', 0, 'abort')]) exchange.frame(frame);
  exchange.end();
}
