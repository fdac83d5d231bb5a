/**
 * A prompt as a chain of blocks: `names[k]` stands for everything from the begin of the prompt to the end of
 * block `k`, and for what keeps equal prompts apart in an engine's prefix cache (model, adapter, cache salt).
 * Two prompts with an equal name have all that lies before it in common.
 */
export interface PromptBlocks {
  /** One for each full block, 53-bit integers, never negative. */
  readonly names: Float64Array;
  /** Length of the whole prompt in `unit`, the rest behind the last full block included. */
  readonly size: number;
  /** Length of a block in `unit`. */
  readonly blockSize: number;
  /** `tokens` where the client sent ids; else `bytes` of the canonical text. */
  readonly unit: 'bytes' | 'tokens';
}

/** Makes the blocks of one prompt at the first call and keeps them. */
export interface PromptSource {
  /** Null when the prompt cannot be read; never throws. */
  blocks(): PromptBlocks | null;
  /**
   * The blocks of the prompt and its answer as the next turn of a conversation would repeat them; null when
   * the answer adds no full block.
   */
  withAnswer(answer: string): PromptBlocks | null;
}
