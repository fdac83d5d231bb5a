import { isObject, type Json, type TextShape } from './stream-frame.js';

/** Nothing was asked for. */
const unset = (value: unknown): boolean =>
  value === undefined || value === null || value === false || (Array.isArray(value) && value.length === 0);

const one = (value: unknown): boolean => unset(value) || value === 1;

/**
 * Fields of vLLM's requests (0.32, `entrypoints/openai/`) of which each asks for something that a text of two
 * engines cannot have, unless it is unset.
 */
const FORBIDDEN: readonly string[] = [
  // More than plain text.
  'tools',
  'functions',
  'function_call',
  'audio',
  'structured_outputs',
  // Facts of each token.
  'logprobs',
  'logprob_token_ids',
  'prompt_logprobs',
  'return_token_ids',
  'return_tokens_as_token_ids',
  'return_prompt_text',
  // The prompt, or what comes behind the answer.
  'echo',
  'suffix',
  'prompt_embeds',
  'truncate_prompt_tokens',
  // Searches and reasoning whose state is lost with the engine.
  'use_beam_search',
  'thinking_token_budget',
  // The prompt's keys and values lie at an engine that is named here.
  'kv_transfer_params',
  'ec_transfer_params',
];

/** Why an answer to this request cannot go on at another engine, in a word; null when it can. */
export function whyNotContinuable(body: Json, shape: TextShape): string | null {
  for (const field of FORBIDDEN) if (!unset(body[field])) return field;
  for (const field of Object.keys(body)) {
    if (field.startsWith('guided_') && !unset(body[field])) return 'structured_outputs';
  }
  if (!one(body['n'])) return 'n';
  if (!one(body['best_of'])) return 'best_of';
  if (!unset(body['top_logprobs']) && body['top_logprobs'] !== 0) return 'logprobs';
  const format = body['response_format'];
  if (!unset(format) && !(isObject(format) && format['type'] === 'text')) return 'response_format';
  if (body['skip_special_tokens'] === false) return 'skip_special_tokens';
  return lengthsFault(body) ?? (shape === 'chat' ? chatFault(body) : completionFault(body));
}

/** Numbers that are reckoned with must be right, and those that are only passed on must survive it. */
function lengthsFault(body: Json): string | null {
  for (const field of ['max_tokens', 'max_completion_tokens', 'min_tokens', 'seed']) {
    const value = body[field];
    if (!unset(value) && !Number.isSafeInteger(value)) return field;
  }
  // Several tokens in each piece: how many there were is told by continuous usage alone.
  const interval = body['stream_interval'];
  if (!unset(interval) && interval !== 1 && !continuousUsage(body)) return 'stream_interval';
  const { stop } = body;
  const strings = unset(stop) || typeof stop === 'string' ? [] : stop;
  if (!Array.isArray(strings) || strings.some((text) => typeof text !== 'string')) return 'stop';
  return null;
}

function chatFault(body: Json): string | null {
  const { messages, tool_choice: choice, modalities, chat_template_kwargs: template } = body;
  if (!unset(choice) && choice !== 'none') return 'tool_choice';
  if (!unset(modalities) && !(Array.isArray(modalities) && modalities.every((name) => name === 'text')))
    return 'modalities';
  // Reasoning that the client does not see counts as tokens, and the next engine would not know of it.
  if (body['include_reasoning'] === false) return 'include_reasoning';
  if (isObject(template)) {
    if ('continue_final_message' in template || 'add_generation_prompt' in template)
      return 'chat_template_kwargs';
  } else if (!unset(template)) return 'chat_template_kwargs';
  if (!Array.isArray(messages) || messages.length === 0) return 'messages';
  if (continuesMessage(body)) {
    const last: unknown = messages.at(-1);
    const open = isObject(last) && last['role'] === 'assistant' && typeof last['content'] === 'string';
    return open ? null : 'continue_final_message';
  }
  return body['add_generation_prompt'] === false ? 'add_generation_prompt' : null;
}

/** The client has begun the answer itself, in the last message. */
export const continuesMessage = (body: Json): boolean => body['continue_final_message'] === true;

const completionFault = ({ prompt }: Json): string | null =>
  typeof prompt === 'string' && prompt !== '' ? null : 'prompt';

/** The client wants token counts with each chunk. */
function continuousUsage({ stream_options: options }: Json): boolean {
  return isObject(options) && options['include_usage'] === true && options['continuous_usage_stats'] === true;
}

/** The client wants token counts, at the end at least. */
export const wantsUsage = ({ stream_options: options }: Json): boolean =>
  isObject(options) && options['include_usage'] === true;

/** The texts at which the answer is to stop. */
export function stopStrings({ stop }: Json): readonly string[] {
  return typeof stop === 'string' ? [stop] : Array.isArray(stop) ? (stop as readonly string[]) : [];
}
