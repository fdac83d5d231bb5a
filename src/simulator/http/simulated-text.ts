/** A JSON object that came from outside. */
export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Text of a content field: a string, or the `text` of its parts. */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: unknown) => (isObject(part) && typeof part.text === 'string' ? part.text : ''))
    .join(' ');
}

/** What an engine is asked to go on with. One word is one token, as in the recorded engine's tokenizer. */
export interface Prompt {
  readonly text: string;
  readonly ids: Int32Array;
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

/** FNV-1a, 32 bits, of a part of a text; `value` goes on from the hash of what stands before it. */
function hash(text: string, from = 0, to = text.length, value = 0x811c9dc5): number {
  for (let index = from; index < to; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}

/** The token id of a word: not negative, and the same on every engine. */
const wordId = (word: string): number => hash(word) >>> 1;

/** Writes the ids of the words of `text` from `at` on; returns where the next one goes. */
function writeIds(ids: Int32Array, at: number, text: string): number {
  let next = at;
  let start = -1;
  for (let index = 0; index <= text.length; index += 1) {
    const isSpace = index === text.length || text.charCodeAt(index) <= 32;
    if (isSpace && start >= 0) {
      ids[next++] = hash(text, start, index) >>> 1;
      start = -1;
    } else if (!isSpace && start < 0) start = index;
  }
  return next;
}

function textPrompt(text: string): Prompt {
  const ids = new Int32Array(countWords(text));
  writeIds(ids, 0, text);
  return { text, ids };
}

const ASSISTANT = wordId('assistant');

/**
 * The prompt of a list of chat messages. As the template of the recorded engine does, each message begins with
 * one token for its role, and one more at the end asks for the answer. Items without a role count as well.
 * @param open the last message is the beginning of the answer (`continue_final_message`)
 */
export function chatPrompt(messages: readonly unknown[], open = false): Prompt {
  const parts = messages.map((message) => (isObject(message) ? contentText(message.content) : ''));
  const ids = new Int32Array(parts.reduce((sum, part) => sum + countWords(part) + 1, open ? 0 : 1));
  let at = 0;
  parts.forEach((part, index) => {
    const message = messages[index];
    ids[at++] = wordId(isObject(message) && typeof message.role === 'string' ? message.role : '');
    at = writeIds(ids, at, part);
  });
  if (open) return { text: parts.slice(0, -1).join('\n') + (parts.at(-1) ?? '').trimEnd(), ids };
  ids[at] = ASSISTANT;
  return { text: parts.join('\n'), ids };
}

/** The prompts of a completion: a string, token ids, or a list of either. An empty one is a single token. */
export function completionPrompts(prompt: unknown): Prompt[] {
  if (typeof prompt === 'string') return [textPrompt(prompt)];
  if (!Array.isArray(prompt)) return [textPrompt('')];
  if (prompt.every((item) => typeof item === 'number'))
    return [{ text: prompt.join(' '), ids: Int32Array.from(prompt) }];
  return prompt.flatMap((item: unknown) => completionPrompts(item));
}

/** The tokens of one answer. */
export interface TokenSource {
  /** Whether all its words are ASCII. */
  readonly ascii: boolean;
  /** Token number `index`, from 0, with the space before it. */
  text(index: number): string;
  /** Its id in a prompt. */
  id(index: number): number;
}

/** Words in the vocabulary of made up answers: a power of two. */
const VOCABULARY = 512;
const WORDS = Array.from({ length: VOCABULARY }, (_, index) => ` w${index}`);
const WORD_IDS = WORDS.map((word) => wordId(word.trim()));

/**
 * The words an engine answers a prompt with: the same on every engine, so that answers can be compared. As in greedy
 * decoding, each word follows from all the text before it, so that an answer whose beginning is part of the prompt goes on
 * as it would have.
 */
class GreedyTokens implements TokenSource {
  readonly ascii = true;
  readonly #words: number[] = [];
  /** Hash of the prompt and the words so far. */
  #state: number;

  constructor(prompt: string, choice: number) {
    this.#state = hash(prompt) ^ Math.imul(choice, 0x9e3779b1);
  }

  text(index: number): string {
    return WORDS[this.#word(index)] ?? '';
  }

  id(index: number): number {
    return WORD_IDS[this.#word(index)] ?? 0;
  }

  #word(index: number): number {
    const words = this.#words;
    for (let next = words.length; next <= index; next += 1) {
      // The low bits of such a hash follow from few of the text's bits.
      const word = (Math.imul(this.#state ^ (this.#state >>> 15), 0x2c1b3c6d) >>> 16) & (VOCABULARY - 1);
      words.push(word);
      const text = WORDS[word] ?? '';
      this.#state = hash(text, 0, text.length, this.#state);
    }
    return words[index] ?? 0;
  }
}

/** What an engine answers `prompt` with; `choice` is the number of the answer when several are asked for. */
export function tokensFor(prompt: string, choice = 0): TokenSource {
  return new GreedyTokens(prompt, choice);
}

/** These words, again and again. */
export function tokensOf(words: readonly string[]): TokenSource {
  const ids = words.map(wordId);
  const spaced = words.map((word) => ` ${word}`);
  return {
    ascii: words.every((word) => Buffer.byteLength(word) === word.length),
    text: (index) => (index === 0 ? words[0] : spaced[index % words.length]) ?? '',
    id: (index) => ids[index % ids.length] ?? 0,
  };
}

/** The first `count` tokens, joined. */
export function textOf(tokens: TokenSource, count: number): string {
  let text = '';
  for (let index = 0; index < count; index += 1) text += tokens.text(index);
  return text;
}
