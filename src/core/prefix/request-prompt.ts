import type { PromptBlocks, PromptSource } from '../prompt-blocks.js';
import { chainSeed } from './block-names.js';
import { extendPrompt, type ReadPrompt, tokenBlocks } from './read-prompt.js';

/** The prompt of a request from a client, read at the first call. Afterwards nothing of the body is kept. */
export class RequestPrompt implements PromptSource {
  #read: (() => ReadPrompt | null) | null;
  #prompt: ReadPrompt | null = null;

  /** @param read reads the prompt, once: `readPrompt` of a parsed body, or what another thread has read */
  constructor(read: () => ReadPrompt | null) {
    this.#read = read;
  }

  blocks(): PromptBlocks | null {
    return this.#known()?.blocks ?? null;
  }

  withAnswer(answer: string): PromptBlocks | null {
    const prompt = this.#known();
    return prompt === null ? null : extendPrompt(prompt, answer);
  }

  #known(): ReadPrompt | null {
    if (this.#read !== null) {
      this.#prompt = this.#read();
      this.#read = null;
    }
    return this.#prompt;
  }
}

const NO_KEY = { high: 0, low: 0 };

/** A prompt of token ids with nothing secret about it, as the simulator has them. */
export class TokenPrompt implements PromptSource {
  readonly #cacheKey: string;
  #tokens: ArrayLike<number> | null;
  readonly #withAnswer: (() => ArrayLike<number>) | null;
  #blocks: PromptBlocks | null = null;

  /**
   * @param cacheKey what keeps equal prompts apart: model, adapter, cache salt
   * @param withAnswer prompt and answer in tokens, for `withAnswer`, whatever the text
   */
  constructor(tokens: ArrayLike<number>, cacheKey: string, withAnswer?: () => ArrayLike<number>) {
    this.#tokens = tokens;
    this.#cacheKey = cacheKey;
    this.#withAnswer = withAnswer ?? null;
  }

  blocks(): PromptBlocks | null {
    if (this.#tokens !== null) {
      this.#blocks = tokenBlocks(this.#tokens, chainSeed(NO_KEY, ['tokens', this.#cacheKey]));
      this.#tokens = null;
    }
    return this.#blocks;
  }

  withAnswer(_answer: string): PromptBlocks | null {
    if (this.#withAnswer === null) return null;
    const blocks = tokenBlocks(this.#withAnswer(), chainSeed(NO_KEY, ['tokens', this.#cacheKey]));
    return blocks.names.length > (this.blocks()?.names.length ?? 0) ? blocks : null;
  }
}
