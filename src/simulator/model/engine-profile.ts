/**
 * What one step of an engine costs and how much the engine holds: a model on a piece of hardware.
 * Times are seconds; a step takes
 *
 *     stepSeconds + prefillSecondsPerToken × prompt tokens computed
 *       + attentionSeconds × Σ over those tokens of the tokens that each attends to
 *       + decodeSecondsPerSequence × sequences that decode + kvReadSecondsPerToken × Σ of their contexts
 *
 * A context counts the token that is computed, too.
 */
export interface EngineProfile {
  readonly name: string;
  /** Floor of a step: the time to read the weights once. */
  readonly stepSeconds: number;
  readonly prefillSecondsPerToken: number;
  /** For each token that is computed and each token that it attends to. */
  readonly attentionSeconds: number;
  readonly decodeSecondsPerSequence: number;
  /** For each token of context of each sequence that decodes. */
  readonly kvReadSecondsPerToken: number;
  /** Tokens in one block of the KV cache. */
  readonly blockSize: number;
  /** Blocks of the KV cache; one of them is reserved, as in vLLM. At least 2. */
  readonly blocks: number;
  /** Tokens that one step computes at most (`--max-num-batched-tokens`). */
  readonly maxBatchedTokens: number;
  /** Sequences that run at a time at most (`--max-num-seqs`). */
  readonly maxSequences: number;
  /** Adapters that can run at a time (`--max-loras`). */
  readonly maxLoras: number;
  /** How long a step waits for an adapter that is in no slot. */
  readonly loraLoadSeconds: number;
}

export type ProfileName = 'h100-8b' | 'l4-8b' | 'cpu' | 'instant';

/**
 * The profiles that come with the simulator. `h100-8b` and `l4-8b` are Llama-3.1-8B in bf16: the floor is
 * 16 GB of weights by the memory's bandwidth, prefill 16 GFLOP a token at the share of peak that such
 * engines reach, KV reads 128 KiB a token by the bandwidth; batch limits are vLLM's defaults. `cpu` is a tiny
 * model on two cores, with the cache of a measured vLLM on CPU. `instant` costs nothing, for tests.
 */
export const PROFILES: Readonly<Record<ProfileName, EngineProfile>> = {
  'h100-8b': {
    name: 'h100-8b',
    stepSeconds: 6.5e-3,
    prefillSecondsPerToken: 28e-6,
    attentionSeconds: 1.06e-9,
    decodeSecondsPerSequence: 8e-6,
    kvReadSecondsPerToken: 0.056e-6,
    blockSize: 16,
    blocks: 28_000,
    maxBatchedTokens: 8192,
    maxSequences: 256,
    maxLoras: 4,
    loraLoadSeconds: 0.2,
  },
  'l4-8b': {
    name: 'l4-8b',
    stepSeconds: 62e-3,
    prefillSecondsPerToken: 265e-6,
    attentionSeconds: 9e-9,
    decodeSecondsPerSequence: 25e-6,
    kvReadSecondsPerToken: 0.55e-6,
    blockSize: 16,
    blocks: 1700,
    maxBatchedTokens: 2048,
    maxSequences: 256,
    maxLoras: 4,
    loraLoadSeconds: 0.5,
  },
  cpu: {
    name: 'cpu',
    stepSeconds: 2.5e-3,
    prefillSecondsPerToken: 100e-6,
    attentionSeconds: 0,
    decodeSecondsPerSequence: 0.3e-3,
    kvReadSecondsPerToken: 0,
    blockSize: 32,
    blocks: 4096,
    maxBatchedTokens: 2048,
    maxSequences: 64,
    maxLoras: 2,
    loraLoadSeconds: 0.2,
  },
  instant: {
    name: 'instant',
    stepSeconds: 0,
    prefillSecondsPerToken: 0,
    attentionSeconds: 0,
    decodeSecondsPerSequence: 0,
    kvReadSecondsPerToken: 0,
    blockSize: 16,
    blocks: 16_384,
    maxBatchedTokens: 8192,
    maxSequences: 1024,
    maxLoras: 4,
    loraLoadSeconds: 0,
  },
};
