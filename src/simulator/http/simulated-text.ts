/** A JSON object that came from outside. */
export type JsonObject = Record<string, unknown>;

/** Text of a content field: a string, or the `text` of its parts. */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (isObject(part) && typeof part.text === 'string' ? part.text : ''))
    .join(' ');
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export interface Prompt {
  readonly text: string;
  /** Whitespace words, plus what the chat template of the recorded engine adds: one per message and one. */
  readonly tokens: number;
}

export function countWords(text: string): number {
  let count = 0;
  let inWord = false;
  for (let index = 0; index < text.length; index += 1) {
    const isSpace = text.charCodeAt(index) <= 32;
    if (!isSpace && !inWord) count += 1;
    inWord = !isSpace;
  }
  return count;
}

/** The prompt of a list of chat messages; items without a role count as well. */
export function chatPrompt(messages: readonly unknown[]): Prompt {
  const text = messages.map((message) => (isObject(message) ? contentText(message.content) : '')).join('\n');
  return { text, tokens: countWords(text) + messages.length + 1 };
}

/** The prompts of a completion: a string, token ids, or a list of either. Token ids become `<id>` words. */
export function completionPrompts(prompt: unknown): Prompt[] {
  if (typeof prompt === 'string') return [{ text: prompt, tokens: countWords(prompt) }];
  if (!Array.isArray(prompt)) return [{ text: '', tokens: 0 }];
  if (prompt.every((item) => typeof item === 'number'))
    return [{ text: prompt.join(' '), tokens: prompt.length }];
  return prompt.flatMap((item: unknown) => completionPrompts(item));
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}

/** Token number `index` of an answer. */
export type TokenSource = (index: number) => string;

/** The words an engine answers a prompt with: the same on every engine, so that answers can be compared. */
export function tokensFor(prompt: string): TokenSource {
  const seed = hash(prompt);
  return (index) => ` w${(seed + Math.imul(index, 7919)) & 511}`;
}

/** The first `count` tokens, joined. */
export function textOf(token: TokenSource, count: number): string {
  let text = '';
  for (let index = 0; index < count; index += 1) text += token(index);
  return text;
}
