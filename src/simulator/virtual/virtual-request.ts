import type { SequenceSpec } from '../model/sequence.js';

/** A request in simulated time. */
export interface VirtualRequest {
  readonly id: number;
  /** Seconds from the begin of the simulation. */
  readonly arrival: number;
  readonly spec: SequenceSpec;
  /** Who asks, for strategies that keep sessions together. */
  readonly session: string;
}

/**
 * What became of a request: `finished`; `queue_full` and `too_long`, which an engine answers with 503 and 400;
 * `turned_away` by the chooser; `unfinished` when the simulation was over.
 */
export type VirtualOutcome = 'finished' | 'queue_full' | 'too_long' | 'turned_away' | 'unfinished';

export interface VirtualResult {
  readonly request: VirtualRequest;
  readonly outcome: VirtualOutcome;
  /** Index of the engine; null when none was chosen. */
  readonly engine: number | null;
  /** Seconds from the begin of the simulation; null without a token. */
  readonly firstToken: number | null;
  /** When the last token came, or the refusal; seconds. */
  readonly end: number;
  readonly tokens: number;
  /** Prompt tokens that the engine found in its prefix cache. */
  readonly cachedTokens: number;
  readonly preemptions: number;
}
