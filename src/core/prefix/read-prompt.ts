import type { Hash64 } from '../hash.js';
import type { PromptBlocks } from '../prompt-blocks.js';
import type { ApiShape } from '../request-facts.js';
import {
  BLOCK_BYTES,
  BLOCK_TOKENS,
  BLOCK_WORDS,
  chainSeed,
  type ChainState,
  MOST_BLOCKS,
  nameBlocks,
} from './block-names.js';
import { writeAnswerMark, writeConversation } from './canonical-prompt.js';
import { CanonicalText } from './canonical-text.js';

/** Where the chain of a prompt of text goes on. */
export interface ChainEnd {
  readonly state: ChainState;
  /** What lies behind the last full block, less than a block. */
  readonly rest: Uint8Array;
  /** An answer becomes a message; otherwise it follows the text as it is. */
  readonly conversation: boolean;
}

/** The blocks of a prompt and its end; plain data, so that it can be made in another thread. */
export interface ReadPrompt {
  readonly blocks: PromptBlocks;
  /** Null where no answer can be put behind the prompt. */
  readonly end: ChainEnd | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** Token ids of further prompts in a list, and prompts in a list, that are counted. */
const MOST_PROMPTS = 16_384;

// Reserved once for each thread: 512 KiB and 256 KiB for media. Nothing is kept in it between calls.
let scratch: CanonicalText | null = null;

/**
 * Reads the prompt out of a parsed body and names its blocks. Null when there is none; never throws.
 * The work is bounded: 131,072 tokens (512 KiB of text) are named, 12,288 values are looked at.
 * @param model the name that the request asks for, which is the adapter's for a LoRA
 * @param key secret of this router, the same in all of its workers
 */
export function readPrompt(shape: ApiShape, body: Fields, model: string, key: Hash64): ReadPrompt | null {
  try {
    const read = readAny(shape, body, model, key);
    if (read === null || !isComputedAnew(shape, body)) return read;
    return { blocks: { ...read.blocks, names: new Float64Array(0) }, end: null };
  } catch {
    return null;
  }
}

function readAny(shape: ApiShape, body: Fields, model: string, key: Hash64): ReadPrompt | null {
  const conversation = shape === 'chat' || shape === 'messages' || shape === 'responses';
  if (conversation || Array.isArray(body['messages'])) return readConversation(body, model, key);
  const prompt = body['prompt'] ?? body['input'] ?? body['text_1'] ?? body['query'];
  return readInput(prompt, body, model, key);
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/**
 * For the log probabilities of a prompt vLLM computes all of it, whatever its cache holds: to believe some of it cached
 * would be wrong each time, and would seem to tell of a lost cache. A completion that echoes its prompt has them too.
 */
function isComputedAnew(shape: ApiShape, body: Fields): boolean {
  if (isGiven(body['prompt_logprobs'])) return true;
  return shape === 'completions' && body['echo'] === true && isGiven(body['logprobs']);
}

/** The prompt with its answer as the next turn repeats them; null when the answer adds no full block. */
export function extendPrompt(read: ReadPrompt, answer: string): PromptBlocks | null {
  const { blocks, end } = read;
  if (end === null) return null;
  const text = (scratch ??= new CanonicalText());
  text.begin(end.state);
  text.raw(end.rest);
  if (end.conversation) writeAnswerMark(text);
  text.text(answer);
  const more = Math.min(Math.floor(text.length / BLOCK_BYTES), MOST_BLOCKS - blocks.names.length);
  if (more <= 0) return null;
  const names = new Float64Array(blocks.names.length + more);
  names.set(blocks.names);
  nameBlocks(Int32Array.from(end.state), text.words, more, names, blocks.names.length);
  const size = blocks.size - end.rest.length + text.size;
  return { names, size, blockSize: BLOCK_BYTES, unit: 'bytes' };
}

/** Blocks of token ids; ids behind the last block that is named count in the size alone. */
export function tokenBlocks(tokens: ArrayLike<number>, seed: ChainState, size = tokens.length): PromptBlocks {
  const count = Math.min(MOST_BLOCKS, Math.floor(tokens.length / BLOCK_TOKENS));
  const names = new Float64Array(count);
  const length = count * BLOCK_WORDS;
  const words = tokens instanceof Int32Array ? tokens : new Int32Array(length);
  if (words !== tokens) for (let at = 0; at < length; at++) words[at] = tokens[at]!;
  nameBlocks(Int32Array.from(seed), words, count, names, 0);
  return { names, size, blockSize: BLOCK_TOKENS, unit: 'tokens' };
}

const saltOf = (body: Fields): string => (typeof body['cache_salt'] === 'string' ? body['cache_salt'] : '');

function readConversation(body: Fields, model: string, key: Hash64): ReadPrompt | null {
  const seed = chainSeed(key, ['text', model, saltOf(body)]);
  const text = (scratch ??= new CanonicalText());
  text.begin(seed);
  return writeConversation(text, body) ? nameText(text, seed, true) : null;
}

function readInput(prompt: unknown, body: Fields, model: string, key: Hash64): ReadPrompt | null {
  if (typeof prompt === 'string') return readTexts([prompt], body, model, key);
  if (!Array.isArray(prompt)) return null;
  const first: unknown = prompt[0];
  if (typeof first === 'string') return readTexts(prompt, body, model, key);
  const lists: readonly unknown[] = typeof first === 'number' ? [prompt] : prompt;
  const ids = lists[0] ?? [];
  if (!isIds(ids)) return null;
  const seed = chainSeed(key, ['tokens', model, saltOf(body)]);
  return {
    blocks: tokenBlocks(
      ids,
      seed,
      sizeOf(lists, (one) => (one as unknown[]).length),
    ),
    end: null,
  };
}

/** The first text is named, all of them count. */
function readTexts(texts: readonly unknown[], body: Fields, model: string, key: Hash64): ReadPrompt | null {
  const seed = chainSeed(key, ['text', model, saltOf(body)]);
  const text = (scratch ??= new CanonicalText());
  text.begin(seed);
  text.text(texts[0] as string);
  if (texts.length === 1) return nameText(text, seed, false);
  const { blocks } = nameText(text, seed, false);
  const others = sizeOf(texts.slice(1, MOST_PROMPTS), (one) => (one as string).length);
  return { blocks: { ...blocks, size: blocks.size + others }, end: null };
}

function nameText(text: CanonicalText, seed: ChainState, conversation: boolean): ReadPrompt {
  const count = Math.floor(text.length / BLOCK_BYTES);
  const names = new Float64Array(count);
  const state = Int32Array.from(seed);
  nameBlocks(state, text.words, count, names, 0);
  return {
    blocks: { names, size: text.size, blockSize: BLOCK_BYTES, unit: 'bytes' },
    end: text.whole ? { state, rest: text.rest(), conversation } : null,
  };
}

/** Whether a list holds numbers alone, as far as it is named. */
function isIds(list: unknown): list is number[] {
  if (!Array.isArray(list)) return false;
  const length = Math.min(list.length, MOST_BLOCKS * BLOCK_TOKENS);
  for (let at = 0; at < length; at++) if (typeof list[at] !== 'number') return false;
  return true;
}

/** Lengths of prompts of a list, added up; of what is no prompt nothing. */
function sizeOf(prompts: readonly unknown[], lengthOf: (one: unknown) => number): number {
  let size = 0;
  const length = Math.min(prompts.length, MOST_PROMPTS);
  for (let at = 0; at < length; at++) {
    const one = prompts[at];
    if (typeof one === 'string' || Array.isArray(one)) size += lengthOf(one);
  }
  return size;
}
