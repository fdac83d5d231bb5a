import type { PromptBlocks, PromptSource } from '../../core/prompt-blocks.js';
import { HashChain } from '../../simulator/model/hash-chain.js';
import type { SequenceSpec } from '../../simulator/model/sequence.js';

/** Tokens in a block, as the router cuts prompts of token ids. */
const BLOCK = 64;

const NO_BLOCKS = new Float64Array(0);

/**
 * The prompt of a simulated request, of which the tokens are known: what the router has when a client sends ids.
 * An answer is written as one character for each token; which tokens they are, the request itself says.
 */
export class TokenPrompt implements PromptSource {
  readonly #spec: SequenceSpec;
  #blocks: PromptBlocks | null = null;

  constructor(spec: SequenceSpec) {
    this.#spec = spec;
  }

  /** Tokens of the prompt. */
  get size(): number {
    return this.#spec.promptTokens.length;
  }

  blocks(): PromptBlocks {
    return (this.#blocks ??= blocksOf(this.#spec, this.#spec.promptTokens));
  }

  withAnswer(answer: string): PromptBlocks | null {
    const { promptTokens, outputToken } = this.#spec;
    if (outputToken === undefined) return null;
    const before = Math.floor(promptTokens.length / BLOCK);
    const size = promptTokens.length + answer.length;
    if (Math.floor(size / BLOCK) === before) return null;
    const tokens = new Int32Array(size);
    tokens.set(promptTokens);
    for (let at = 0; at < answer.length; at++) tokens[promptTokens.length + at] = outputToken(at);
    return blocksOf(this.#spec, tokens);
  }

  /** Names of full blocks of another size, for rules that cut prompts in their own way. */
  chunks(size: number): Float64Array {
    return size === BLOCK ? this.blocks().names : chainOf(this.#spec, this.#spec.promptTokens, size);
  }
}

function blocksOf(spec: SequenceSpec, tokens: Int32Array): PromptBlocks {
  return { names: chainOf(spec, tokens, BLOCK), size: tokens.length, blockSize: BLOCK, unit: 'tokens' };
}

function chainOf({ cacheKey, adapter }: SequenceSpec, tokens: Int32Array, size: number): Float64Array {
  const count = Math.floor(tokens.length / size);
  if (count === 0) return NO_BLOCKS;
  const chain = new HashChain(adapter === null ? cacheKey : `${cacheKey}\0${adapter}`);
  const names = new Float64Array(count);
  for (let at = 0; at < count; at++) names[at] = chain.next(tokens, at * size, size);
  return names;
}
