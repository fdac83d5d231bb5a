import type { FinishReason } from './sequence.js';

/** What an engine has done since it began; each only grows. */
export class EngineCounters {
  /** Prompt tokens of sequences that gave their first token, cached ones included. */
  promptTokens = 0;
  generationTokens = 0;
  /** Prompt tokens looked up in the prefix cache, once for each sequence, and those found. */
  prefixQueries = 0;
  prefixHits = 0;
  preemptions = 0;
  steps = 0;
  /** Sequences turned away because of `maxQueuedRequests`, and of `maxQueuedTokens`. */
  rejectedByRequests = 0;
  rejectedByTokens = 0;
  readonly finished: Record<FinishReason, number> = { stop: 0, length: 0, abort: 0, error: 0 };
}
