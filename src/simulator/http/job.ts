import type { FinishReason, Sequence, SequenceSpec } from '../model/sequence.js';
import type { Prompt, TokenSource } from './simulated-text.js';

/** Who writes what the sequences of one request bring. */
export interface AnswerOutput {
  /** One more token of a choice has been made. */
  token(choice: number): void;
  /** After its last token; of jobs that were aborted nothing is told. */
  finished(choice: number, reason: FinishReason): void;
  /** At the end of the turn: everything that is there may be written. */
  flush(): void;
  /** The engine has died. */
  fail(): void;
}

/** What one request wants of its sequences. */
export interface JobWish {
  readonly cacheKey: string;
  readonly adapter: string | null;
  readonly maxTokens: number;
  readonly stopAfter: number;
  readonly priority: number;
}

/** One sequence of a request on its way through the engine. */
export class Job implements SequenceSpec {
  readonly promptTokens: Int32Array;
  readonly cacheKey: string;
  readonly adapter: string | null;
  readonly maxTokens: number;
  readonly stopAfter: number;
  readonly priority: number;
  readonly outputToken: (index: number) => number;
  /** Null until the engine takes it in. */
  sequence: Sequence | null = null;

  /** @param capacity tokens that fit into the cache; a longer prompt is cut there */
  constructor(
    readonly choice: number,
    prompt: Prompt,
    tokens: TokenSource,
    readonly output: AnswerOutput,
    wish: JobWish,
    capacity: number,
  ) {
    const { ids } = prompt;
    this.promptTokens =
      ids.length === 0 ? EMPTY_PROMPT : ids.length > capacity ? ids.subarray(0, capacity) : ids;
    this.cacheKey = wish.cacheKey;
    this.adapter = wish.adapter;
    this.maxTokens = wish.maxTokens;
    this.stopAfter = wish.stopAfter;
    this.priority = wish.priority;
    this.outputToken = (index) => tokens.id(index);
  }
}

/** A sequence has a token at least. */
const EMPTY_PROMPT = Int32Array.of(0);
