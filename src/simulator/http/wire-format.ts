/**
 * The JSON of vLLM 0.32 for chat and text completions, field by field and in order, as recorded from a real engine
 * (test/fixtures). Nulls are sent where vLLM sends them.
 */
import type { FinishReason } from '../model/sequence.js';
import type { JsonObject } from './simulated-text.js';

export interface SimulatedModel {
  readonly id: string;
  /** The base model, when this is a LoRA adapter. */
  readonly parent?: string;
  /** Where the weights are said to lie; default `/models/<id>`. */
  readonly root?: string;
  /** Longer prompts are refused; absent: the card says 131072 and nothing is refused. */
  readonly maxModelLen?: number;
}

/** `prompt_tokens_details` of one request, with `--enable-prompt-tokens-details`. */
export interface PromptDetails {
  readonly cached: number;
  /** Prompt tokens in blocks that this request filled. */
  readonly created: number;
}

/** One generation: what all its frames or its one answer have in common. */
export interface Turn {
  /** With the prefix of the API, e.g. `chatcmpl-`. */
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  /** The name that answers carry: the first served name, or the adapter's. */
  readonly model: string;
  readonly promptTokens: number;
  /** How many answers there are, prompts times `n`. */
  readonly choices: number;
  readonly includeUsage: boolean;
  readonly continuousUsage: boolean;
  readonly fingerprint: string;
  /** The request, for the APIs that repeat parts of it. */
  readonly body: JsonObject;
  /** Null unless the engine tells them. */
  readonly details: () => PromptDetails | null;
}

/** One answer that has ended. */
export interface EndedChoice {
  readonly text: string;
  readonly finish: FinishReason;
  /** The stop string that ended it. */
  readonly stop: string | null;
  /** Its words, one a token, when log probabilities are wanted. */
  readonly logprobs: readonly string[] | null;
}

/** How one API writes a generation; streams are lists of complete frames. */
export interface Dialect {
  /** Sent with the head, before the request is scheduled. */
  opening(): readonly string[];
  /** Sent together with the first token. */
  first(): readonly string[];
  /** `count` tokens of this choice have been made with this one; `finish` is set on the last. */
  token(
    choice: number,
    text: string,
    count: number,
    finish: FinishReason | null,
    stop: string | null,
  ): string;
  /** What stands around the JSON text of any token but the last; null when frames differ in more than the text. */
  template(choice: number): readonly [before: string, after: string] | null;
  /** `count` tokens have been made for all choices. */
  closing(ended: readonly EndedChoice[], count: number): readonly string[];
  whole(ended: readonly EndedChoice[], count: number): object;
}

const dataFrame = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
export const DONE_FRAME = 'data: [DONE]\n\n';

const countedUsage = (turn: Turn, count: number): object => ({
  prompt_tokens: turn.promptTokens,
  total_tokens: turn.promptTokens + count,
  completion_tokens: count,
});

function streamUsage(turn: Turn, count: number): object {
  const details = turn.details();
  const told = { cached_tokens: details?.cached, created_cache_tokens: details?.created };
  return { ...countedUsage(turn, count), ...(details === null ? {} : { prompt_tokens_details: told }) };
}

/** `created` is a number in chat and null in completions. */
function wholeUsage(turn: Turn, count: number, tellsCreated: boolean): object {
  const details = turn.details();
  const created = tellsCreated ? details?.created : null;
  const told = { cached_tokens: details?.cached, created_cache_tokens: created, multimodal_tokens: null };
  return {
    ...countedUsage(turn, count),
    prompt_tokens_details: details === null ? null : told,
    completion_tokens_details: null,
  };
}

/** `usage` of one chunk of a stream with `continuous_usage_stats`; the last token's and all before it alike. */
const runningUsage = (turn: Turn, count: number): object =>
  turn.continuousUsage ? { usage: { ...countedUsage(turn, count), completion_tokens_details: null } } : {};

const fingerprintOf = (turn: Turn, finish: FinishReason | null): object =>
  finish === null || turn.includeUsage ? {} : { system_fingerprint: turn.fingerprint };

/** The frames that end a chat or completion stream. */
function closingFrames(turn: Turn, head: object, count: number): readonly string[] {
  if (!turn.includeUsage) return [DONE_FRAME];
  const usage = streamUsage(turn, count);
  return [dataFrame({ ...head, choices: [], usage, system_fingerprint: turn.fingerprint }), DONE_FRAME];
}

/** Probability of each token of a model that knows 512 words and prefers none. */
const LOGPROB = -6.238_324_625_039_508;

function chatLogprobs(words: readonly string[] | null, top: unknown): object | null {
  if (words === null) return null;
  const content = words.map((token) => {
    const entry = { token, logprob: LOGPROB, bytes: [...Buffer.from(token)] };
    return { ...entry, top_logprobs: typeof top === 'number' && top > 0 ? [entry] : [] };
  });
  return { content };
}

export function chatDialect(turn: Turn): Dialect {
  const head = { id: turn.id, object: 'chat.completion.chunk', created: turn.created, model: turn.model };
  const opened = `data: ${JSON.stringify(head).slice(0, -1)},"choices":[{"index":`;
  return {
    opening: () => [],
    first: () =>
      Array.from({ length: turn.choices }, (_, index) =>
        dataFrame({
          ...head,
          choices: [
            { index, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null },
          ],
          ...runningUsage(turn, 0),
          prompt_token_ids: null,
          prompt_text: null,
        }),
      ),
    template: (choice) =>
      turn.continuousUsage || turn.body.logprobs === true
        ? null
        : [
            `${opened}${choice},"delta":{"content":`,
            '},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n',
          ],
    token: (index, content, count, finish, stop) => {
      const words = turn.body.logprobs === true ? [content.trim()] : null;
      const ended = finish === null ? {} : { stop_reason: stop };
      const logprobs = chatLogprobs(words, turn.body.top_logprobs);
      return dataFrame({
        ...head,
        choices: [{ index, delta: { content }, logprobs, finish_reason: finish, ...ended, token_ids: null }],
        ...runningUsage(turn, count),
        ...fingerprintOf(turn, finish),
      });
    },
    closing: (_ended, count) => closingFrames(turn, head, count),
    whole: (ended, count) => ({
      id: turn.id,
      object: 'chat.completion',
      created: turn.created,
      model: turn.model,
      choices: ended.map(({ text, finish, stop, logprobs }, index) => ({
        index,
        message: {
          role: 'assistant',
          content: text,
          refusal: null,
          annotations: null,
          audio: null,
          function_call: null,
          reasoning: null,
        },
        logprobs: chatLogprobs(logprobs, turn.body.top_logprobs),
        finish_reason: finish,
        stop_reason: stop,
        token_ids: null,
        routed_experts: null,
      })),
      service_tier: null,
      system_fingerprint: turn.fingerprint,
      usage: wholeUsage(turn, count, true),
      prompt_logprobs: null,
      prompt_token_ids: null,
      prompt_text: null,
      kv_transfer_params: null,
      ec_transfer_params: null,
      metrics: null,
    }),
  };
}

export function completionDialect(turn: Turn): Dialect {
  const head = { id: turn.id, object: 'text_completion', created: turn.created, model: turn.model };
  const opened = `data: ${JSON.stringify(head).slice(0, -1)},"choices":[{"index":`;
  const nulls = { prompt_token_ids: null, token_ids: null };
  return {
    opening: () => [],
    first: () => [],
    template: (choice) =>
      turn.continuousUsage
        ? null
        : [
            `${opened}${choice},"text":`,
            ',"logprobs":null,"finish_reason":null,"stop_reason":null,"prompt_token_ids":null,"token_ids":null}]}\n\n',
          ],
    token: (index, text, count, finish, stop) =>
      dataFrame({
        ...head,
        choices: [{ index, text, logprobs: null, finish_reason: finish, stop_reason: stop, ...nulls }],
        ...runningUsage(turn, count),
        ...fingerprintOf(turn, finish),
      }),
    closing: (_ended, count) => closingFrames(turn, head, count),
    whole: (ended, count) => ({
      ...head,
      choices: ended.map(({ text, finish, stop }, index) => ({
        index,
        text,
        logprobs: null,
        finish_reason: finish,
        stop_reason: stop,
        token_ids: null,
        prompt_logprobs: null,
        prompt_token_ids: null,
        routed_experts: null,
      })),
      service_tier: null,
      system_fingerprint: turn.fingerprint,
      usage: wholeUsage(turn, count, false),
      kv_transfer_params: null,
      ec_transfer_params: null,
      metrics: null,
    }),
  };
}
