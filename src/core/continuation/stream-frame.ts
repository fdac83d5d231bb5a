import { parseFrame } from '../sse-frames.js';

/** The two APIs whose streams can be continued. */
export type TextShape = 'chat' | 'completions';

export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What one frame of a stream of text says.
 * `none`: nothing, such as a comment. `done`: `[DONE]`. `chunk`: an object with the generated text, which may be empty,
 * and how the answer ended, if it did. `other`: anything that is not plain text.
 */
export type StreamFrame =
  | { readonly kind: 'none' | 'done' | 'other' }
  | {
      readonly kind: 'chunk';
      readonly body: Json;
      /** Null when it brings no token: a role alone, or token counts. */
      readonly text: string | null;
      readonly finish: string | null;
    };

/** Fields of a chunk by which a client tells that chunks belong together. */
const IDENTITY = ['id', 'object', 'created', 'model'];

/** What all chunks of a stream have in common. */
export function identityOf(chunk: Json): Json {
  const identity: Json = {};
  for (const field of IDENTITY) if (field in chunk) identity[field] = chunk[field];
  return identity;
}

const NONE: StreamFrame = { kind: 'none' };
const DONE: StreamFrame = { kind: 'done' };
const OTHER: StreamFrame = { kind: 'other' };

const empty = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);

/** Beside text: what a choice tells without being more than plain text. */
const CHOICE_KEYS = new Set(['index', 'delta', 'text', 'finish_reason', 'stop_reason']);

/** Reads one frame of a stream, without its blank line, as vLLM writes it for chat and for completions. */
export function readStreamFrame(frame: string, shape: TextShape): StreamFrame {
  const { event, data } = parseFrame(frame);
  if (data === null) return NONE;
  if (event !== null) return OTHER;
  if (data.trim() === '[DONE]') return DONE;
  let body: unknown;
  try {
    body = JSON.parse(data);
  } catch {
    return OTHER;
  }
  if (!isObject(body) || !Array.isArray(body['choices'])) return OTHER;
  const choices: readonly unknown[] = body['choices'];
  if (choices.length === 0) return { kind: 'chunk', body, text: null, finish: null };
  const choice = choices[0];
  if (choices.length > 1 || !isObject(choice) || (choice['index'] ?? 0) !== 0) return OTHER;
  // Token ids, log probabilities and the like cannot be made up for a text that two engines wrote.
  for (const key of Object.keys(choice)) if (!CHOICE_KEYS.has(key) && !empty(choice[key])) return OTHER;
  const finish = choice['finish_reason'] ?? null;
  if (finish !== null && typeof finish !== 'string') return OTHER;
  const text = shape === 'chat' ? deltaText(choice['delta']) : (choice['text'] ?? '');
  if (text !== null && typeof text !== 'string') return OTHER;
  return { kind: 'chunk', body, text, finish };
}

/** Null for a delta that only opens the message; undefined for one that is not plain text. */
function deltaText(delta: unknown): string | null | undefined {
  if (!isObject(delta)) return undefined;
  for (const key of Object.keys(delta)) {
    if (key !== 'role' && key !== 'content' && !empty(delta[key])) return undefined;
  }
  const content = delta['content'] ?? '';
  if (typeof content !== 'string') return undefined;
  return content === '' && 'role' in delta ? null : content;
}
