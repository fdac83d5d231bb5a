import type { TokenUsage } from './attempt-event.js';

const MAX_OBJECT = 2_048;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** More tokens than any request has, those of all inputs of a batch of embeddings included. */
const MOST_TOKENS = 1e9;

/** Null for what cannot be a count: one absurd number would stay in every sum and mean that it is added to. */
const count = (value: unknown): number | null =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_TOKENS ? value : null;

/** The text of the object that begins at the first `{` at or after `from`; null when it is not whole. */
function objectAt(text: string, from: number): string | null {
  const start = text.indexOf('{', from);
  if (start < 0 || start - from > 4) return null;
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === OPEN) depth++;
    else if (code === CLOSE && --depth === 0) return text.slice(start, at + 1);
  }
  return null;
}

/**
 * Token counts out of the last `"usage": {…}` of an answer's end, without parsing the answer: OpenAI's
 * names, and those of the responses and messages APIs. Null when the engine sent none.
 */
export function tokenUsage(bytes: Buffer): TokenUsage | null {
  const at = bytes.lastIndexOf('"usage"');
  if (at < 0 || bytes[at - 1] === BACKSLASH) return null;
  // What is looked for is ASCII; one character a byte is the cheapest reading.
  const text = objectAt(bytes.toString('latin1', at + 7, at + 7 + MAX_OBJECT), 0);
  if (text === null) return null;
  let usage: Record<string, unknown>;
  try {
    usage = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return null;
  }
  const prompt = count(usage['prompt_tokens'] ?? usage['input_tokens']);
  if (prompt === null) return null;
  const details = (usage['prompt_tokens_details'] ?? usage['input_tokens_details']) as
    Record<string, unknown> | null | undefined;
  return {
    prompt,
    completion: count(usage['completion_tokens'] ?? usage['output_tokens']) ?? 0,
    cached: count(details?.['cached_tokens'] ?? usage['cache_read_input_tokens']),
  };
}
