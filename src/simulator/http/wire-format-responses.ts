/** `/v1/responses` and `/v1/messages` of vLLM 0.32 with default flags: streams of named events. */
import { randomBytes } from 'node:crypto';
import type { FinishReason } from '../model/sequence.js';
import type { Dialect, EndedChoice, Turn } from './wire-format.js';

const eventFrame = (value: { readonly type: string; readonly [field: string]: unknown }): string =>
  `event: ${value.type}\ndata: ${JSON.stringify(value)}\n\n`;

const NOTHING: EndedChoice = { text: '', finish: 'stop', stop: null, logprobs: null };

const numberOr = (value: unknown, otherwise: number): number =>
  typeof value === 'number' ? value : otherwise;

function responsesUsage(turn: Turn, count: number): object {
  return {
    input_tokens: turn.promptTokens,
    input_tokens_details: {
      cached_tokens: turn.details()?.cached ?? 0,
      cache_write_tokens: 0,
      input_tokens_per_turn: [],
      cached_tokens_per_turn: [],
    },
    output_tokens: count,
    output_tokens_details: {
      reasoning_tokens: 0,
      tool_output_tokens: 0,
      output_tokens_per_turn: [],
      tool_output_tokens_per_turn: [],
    },
    total_tokens: turn.promptTokens + count,
  };
}

/** vLLM's choice of `max_output_tokens` when the client names none: what is left of the context. */
const UNLIMITED_OUTPUT = 131_072;

export function responsesDialect(turn: Turn): Dialect {
  const itemId = `msg_${randomBytes(8).toString('hex')}`;
  let sequence = 0;
  const event = (type: string, fields: object): string =>
    eventFrame({ ...fields, sequence_number: sequence++, type });
  const part = (text: string, logprobs: null | []): object => ({
    annotations: [],
    text,
    type: 'output_text',
    logprobs,
  });
  const item = (text: string): object => ({
    id: itemId,
    content: [part(text, null)],
    role: 'assistant',
    status: 'completed',
    type: 'message',
    phase: null,
  });
  const response = (
    status: string,
    output: object[],
    usage: object | null,
    finish: FinishReason | null,
  ): object => ({
    id: turn.id,
    created_at: turn.created,
    incomplete_details: finish === 'length' ? { reason: 'max_output_tokens' } : null,
    instructions: null,
    metadata: null,
    model: turn.model,
    object: 'response',
    output,
    parallel_tool_calls: true,
    temperature: numberOr(turn.body.temperature, 1),
    tool_choice: 'none',
    tools: [],
    top_p: numberOr(turn.body.top_p, 1),
    background: false,
    max_output_tokens: numberOr(turn.body.max_output_tokens, UNLIMITED_OUTPUT),
    max_tool_calls: null,
    previous_response_id: null,
    prompt: null,
    reasoning: null,
    service_tier: 'auto',
    status,
    text: null,
    top_logprobs: null,
    truncation: 'disabled',
    usage,
    user: null,
    presence_penalty: 0,
    frequency_penalty: 0,
    kv_transfer_params: null,
    ec_transfer_params: null,
    input_messages: null,
    output_messages: null,
  });
  const finished = (text: string, count: number, finish: FinishReason): object =>
    response(
      finish === 'length' ? 'incomplete' : 'completed',
      [item(text)],
      responsesUsage(turn, count),
      finish,
    );
  const place = { item_id: itemId };
  return {
    opening: () => {
      const begun = response('in_progress', [], null, null);
      return [
        event('response.created', { response: begun }),
        event('response.in_progress', { response: begun }),
      ];
    },
    first: () => [
      event('response.output_item.added', {
        item: {
          id: itemId,
          content: [],
          role: 'assistant',
          status: 'in_progress',
          type: 'message',
          phase: null,
        },
        output_index: 0,
      }),
      event('response.content_part.added', {
        content_index: 0,
        ...place,
        output_index: 0,
        part: part('', []),
      }),
    ],
    // Each frame has a number of its own.
    template: () => null,
    token: (_choice, delta) =>
      event('response.output_text.delta', {
        content_index: 0,
        delta,
        ...place,
        logprobs: [],
        output_index: 0,
      }),
    closing: ([ended = NOTHING], count) => {
      const { text, finish } = ended;
      return [
        eventFrame({
          content_index: 0,
          ...place,
          logprobs: [],
          output_index: 0,
          sequence_number: sequence++,
          text,
          type: 'response.output_text.done',
        }),
        event('response.content_part.done', {
          content_index: 0,
          ...place,
          output_index: 0,
          part: part(text, null),
        }),
        event('response.output_item.done', { item: item(text), output_index: 0 }),
        event('response.completed', { response: finished(text, count, finish) }),
      ];
    },
    whole: ([ended = NOTHING], count) => finished(ended.text, count, ended.finish),
  };
}

const STOP_REASONS: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  abort: 'end_turn',
  error: 'end_turn',
};

export function messagesDialect(turn: Turn): Dialect {
  const usage = (count: number): object => ({ input_tokens: turn.promptTokens, output_tokens: count });
  return {
    opening: () => [],
    first: () => [
      eventFrame({
        type: 'message_start',
        message: {
          id: turn.id,
          type: 'message',
          role: 'assistant',
          content: [],
          model: turn.model,
          stop_reason: null,
          stop_sequence: null,
          usage: usage(0),
        },
      }),
      eventFrame({
        type: 'content_block_start',
        content_block: { type: 'text', text: '' },
        index: 0,
      }),
    ],
    template: () => [
      'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"text_delta","text":',
      '},"index":0}\n\n',
    ],
    token: (_choice, text) =>
      eventFrame({ type: 'content_block_delta', delta: { type: 'text_delta', text }, index: 0 }),
    closing: ([ended = NOTHING], count) => [
      eventFrame({ type: 'content_block_stop', index: 0 }),
      eventFrame({
        type: 'message_delta',
        delta: { stop_reason: STOP_REASONS[ended.finish], stop_sequence: null },
        usage: usage(count),
      }),
      eventFrame({ type: 'message_stop' }),
    ],
    whole: ([ended = NOTHING], count) => ({
      id: turn.id,
      type: 'message',
      role: 'assistant',
      content: [{ type: 'text', text: ended.text }],
      model: turn.model,
      stop_reason: STOP_REASONS[ended.finish],
      usage: usage(count),
    }),
  };
}
