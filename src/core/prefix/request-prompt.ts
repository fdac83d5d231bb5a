import type { PromptBlocks, PromptSource } from '../prompt-blocks.js';
import { extendPrompt, type ReadPrompt } from './read-prompt.js';

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
