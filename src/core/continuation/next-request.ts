import { continuesMessage, stopStrings } from './continuable-request.js';
import type { Json, TextShape } from './stream-frame.js';
import type { SentStream } from './text-so-far.js';

/** vLLM's limit for completions that give none; a chat without one may fill the context. */
const COMPLETION_TOKENS = 16;
/** Marks of reasoning that is part of the text: templates take it out of a message or close it. */
const REASONING = /<\/?think>|\[\/?THINK\]|<\|channel\|>/;

/** How a stream goes on at another engine. */
export interface NextRequest {
  readonly body: Json;
  /** Tokens of the answer that the prompt holds now. */
  readonly tokens: number;
  /** White space that the client has and the next engine is to make anew: not to be sent again. */
  readonly repeats: string;
}

/**
 * The request that brings the token counts of an answer whose text has all been sent: the client's own one, for one token.
 * @param sent has told how it ended
 */
export function countsRequest(body: Json, shape: TextShape, sent: SentStream): NextRequest {
  const limit = limitOf(body, shape);
  // An answer that ended at its limit has just as many, however they were packed.
  const tokens = sent.finish === 'length' && limit !== null ? limit : sent.older + sent.ends.length;
  const next: Json = { ...body, max_tokens: 1, min_tokens: 0 };
  if ('max_completion_tokens' in body) next['max_completion_tokens'] = 1;
  return { body: next, tokens, repeats: '' };
}

/** Most tokens that the client lets the answer have; null when it sets no limit. */
function limitOf(body: Json, shape: TextShape): number | null {
  const set = [body['max_completion_tokens'], body['max_tokens']].find((limit) => typeof limit === 'number');
  if (set !== undefined) return set as number;
  return shape === 'completions' && body['max_tokens'] === undefined ? COMPLETION_TOKENS : null;
}

/**
 * The request that makes another engine go on behind what the client has been sent: chats by `continue_final_message`,
 * completions by prompt and text. White space at the end of a chat's text is left to the next engine, since some templates
 * trim messages.
 *
 * Tokens are counted by the usage that the stream has told, else by its pieces and words.
 * @param body of the client's request, which `whyNotContinuable` has found nothing against
 * @returns a word for why there is none
 */
export function nextRequest(body: Json, shape: TextShape, sent: SentStream): NextRequest | string {
  const { text } = sent;
  const kept = shape === 'chat' ? text.trimEnd() : text;
  if (shape === 'chat' && REASONING.test(kept)) return 'reasoning';
  const stops = stopStrings(body);
  if (stops.some((stop) => beginsAtEnd(text, stop))) return 'stop';
  const held = body['include_stop_str_in_output'] === true ? 0 : longest(stops) - 1;
  // With no text to go on from, the engine is asked as the first one was.
  const tokens = kept === '' ? 0 : tokensWithin(sent, kept.length, Math.max(0, held));
  const next: Json = { ...body };
  const limits =
    shape === 'completions' && body['max_tokens'] === undefined
      ? { ...body, max_tokens: COMPLETION_TOKENS }
      : body;
  for (const field of ['max_tokens', 'max_completion_tokens']) {
    const limit = limits[field];
    if (typeof limit !== 'number') continue;
    // All tokens are there, but not the word that it was the limit which ended them.
    if (limit <= tokens) return field;
    next[field] = limit - tokens;
  }
  if (typeof body['min_tokens'] === 'number') next['min_tokens'] = Math.max(0, body['min_tokens'] - tokens);
  const repeats = text.slice(kept.length);
  if (kept === '') return { body: next, tokens, repeats };
  if (shape === 'completions') next['prompt'] = (body['prompt'] as string) + kept;
  else {
    next['messages'] = continued(body, kept);
    next['continue_final_message'] = true;
    next['add_generation_prompt'] = false;
  }
  return { body: next, tokens, repeats };
}

function continued(body: Json, text: string): readonly unknown[] {
  const messages = body['messages'] as readonly unknown[];
  if (!continuesMessage(body)) return [...messages, { role: 'assistant', content: text }];
  const last = messages.at(-1) as Json;
  return [...messages.slice(0, -1), { ...last, content: (last['content'] as string) + text }];
}

const longest = (texts: readonly string[]): number =>
  texts.reduce((most, { length }) => Math.max(most, length), 0);

/**
 * Whether a part of `stop` may have been sent at the end of `text`: with what comes next it could become whole, which
 * the next engine, looking at its own text alone, would not see.
 */
function beginsAtEnd(text: string, stop: string): boolean {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return true;
  }
  return false;
}

/**
 * Tokens that began before `end` of the text.
 * @param held characters that an engine holds back, lest they be part of a stop string: each token is that much further
 */
function tokensWithin({ ends, older, usage }: SentStream, end: number, held: number): number {
  let within = older;
  for (let i = 0; i < ends.length; i++) {
    const begin = i === 0 ? (older === 0 ? 0 : ends[0]!) : ends[i - 1]!;
    if (begin + held >= end) break;
    within++;
  }
  const pieces = older + ends.length;
  return usage === null ? within : Math.max(0, usage.completion - (pieces - within));
}
