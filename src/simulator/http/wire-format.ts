/**
 * The JSON of vLLM 0.32 with default flags, field by field and in order, as recorded from a real engine
 * (test/fixtures/vllm-0.32). Nulls are sent where vLLM sends them.
 */
import type { JsonObject } from './simulated-text.js';

export const VLLM_VERSION = '0.32.0';

export interface SimulatedModel {
  readonly id: string;
  /** The base model, when this is a LoRA adapter. */
  readonly parent?: string;
  /** Longer prompts are refused; absent: the card says 131072 and nothing is refused. */
  readonly maxModelLen?: number;
}

export type FinishReason = 'stop' | 'length' | 'abort';

/** One generation: what all its frames or its one answer have in common. */
export interface Turn {
  /** With the prefix of the API, e.g. `chatcmpl-`. */
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  /** The name that answers carry: the first served name, or the adapter's. */
  readonly model: string;
  readonly promptTokens: number;
  readonly includeUsage: boolean;
  readonly continuousUsage: boolean;
  readonly fingerprint: string;
  /** The request, for the APIs that repeat parts of it. */
  readonly body: JsonObject;
}

/** How one API writes a generation; streams are lists of complete frames. */
export interface Dialect {
  /** Sent with the head, before the request is scheduled. */
  opening(): readonly string[];
  /** Sent together with the first token. */
  first(): readonly string[];
  /** `count` tokens have been made with this one; `finish` is set on the last. */
  token(text: string, count: number, finish: FinishReason | null): string;
  closing(text: string, count: number, finish: FinishReason): readonly string[];
  whole(texts: readonly string[], count: number, finish: FinishReason): object;
}

export const dataFrame = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
export const DONE_FRAME = 'data: [DONE]\n\n';

const streamUsage = (turn: Turn, count: number): object => ({
  prompt_tokens: turn.promptTokens,
  total_tokens: turn.promptTokens + count,
  completion_tokens: count,
});

const wholeUsage = (turn: Turn, count: number): object => ({
  ...streamUsage(turn, count),
  prompt_tokens_details: null,
  completion_tokens_details: null,
});

/** `usage` of one chunk of a stream with `continuous_usage_stats`; the last token's and all before it alike. */
const runningUsage = (turn: Turn, count: number): object =>
  turn.continuousUsage ? { usage: { ...streamUsage(turn, count), completion_tokens_details: null } } : {};

/** The frames that end a chat or completion stream. */
function closingFrames(turn: Turn, head: object, count: number): readonly string[] {
  if (!turn.includeUsage) return [DONE_FRAME];
  const usage = {
    ...head,
    choices: [],
    usage: streamUsage(turn, count),
    system_fingerprint: turn.fingerprint,
  };
  return [dataFrame(usage), DONE_FRAME];
}

export function chatDialect(turn: Turn): Dialect {
  const head = { id: turn.id, object: 'chat.completion.chunk', created: turn.created, model: turn.model };
  // Serialised once: only the text differs between the frames of a stream.
  const before = `data: ${JSON.stringify(head).slice(0, -1)},"choices":[{"index":0,"delta":{"content":`;
  const after = '},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n';
  return {
    opening: () => [],
    first: () => [
      dataFrame({
        ...head,
        choices: [
          { index: 0, delta: { role: 'assistant', content: '' }, logprobs: null, finish_reason: null },
        ],
        ...runningUsage(turn, 0),
        prompt_token_ids: null,
        prompt_text: null,
      }),
    ],
    token: (text, count, finish) => {
      if (finish === null && !turn.continuousUsage) return before + JSON.stringify(text) + after;
      const end = finish === null ? {} : { stop_reason: null };
      return dataFrame({
        ...head,
        choices: [
          {
            index: 0,
            delta: { content: text },
            logprobs: null,
            finish_reason: finish,
            ...end,
            token_ids: null,
          },
        ],
        ...runningUsage(turn, count),
        ...(finish === null || turn.includeUsage ? {} : { system_fingerprint: turn.fingerprint }),
      });
    },
    closing: (_text, count) => closingFrames(turn, head, count),
    whole: (texts, count, finish) => ({
      id: turn.id,
      object: 'chat.completion',
      created: turn.created,
      model: turn.model,
      choices: texts.map((content, index) => ({
        index,
        message: {
          role: 'assistant',
          content,
          refusal: null,
          annotations: null,
          audio: null,
          function_call: null,
          reasoning: null,
        },
        logprobs: null,
        finish_reason: finish,
        stop_reason: null,
        token_ids: null,
        routed_experts: null,
      })),
      service_tier: null,
      system_fingerprint: turn.fingerprint,
      usage: wholeUsage(turn, count),
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
  return {
    opening: () => [],
    first: () => [],
    token: (text, count, finish) =>
      dataFrame({
        ...head,
        choices: [
          {
            index: 0,
            text,
            logprobs: null,
            finish_reason: finish,
            stop_reason: null,
            prompt_token_ids: null,
            token_ids: null,
          },
        ],
        ...runningUsage(turn, count),
        ...(finish === null || turn.includeUsage ? {} : { system_fingerprint: turn.fingerprint }),
      }),
    closing: (_text, count) => closingFrames(turn, head, count),
    whole: (texts, count, finish) => ({
      ...head,
      choices: texts.map((text, index) => ({
        index,
        text,
        logprobs: null,
        finish_reason: finish,
        stop_reason: null,
        token_ids: null,
        prompt_logprobs: null,
        prompt_token_ids: null,
        routed_experts: null,
      })),
      service_tier: null,
      system_fingerprint: turn.fingerprint,
      usage: wholeUsage(turn, count),
      kv_transfer_params: null,
      ec_transfer_params: null,
      metrics: null,
    }),
  };
}
