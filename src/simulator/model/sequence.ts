import { HashChain } from './hash-chain.js';

export type FinishReason = 'stop' | 'length' | 'abort' | 'error';

/** One prompt and what is to be generated for it. A request with `n` answers is `n` sequences. */
export interface SequenceSpec {
  /** At least one token; ids are used for the prefix cache alone. */
  readonly promptTokens: Int32Array;
  /** Seed of the hash chain: what keeps equal tokens apart in the prefix cache (model, adapter, cache salt). */
  readonly cacheKey: string;
  /** The LoRA adapter; null for the model itself. */
  readonly adapter: string | null;
  /** Tokens to generate at most; 0 for a prompt that is only computed, as for embeddings. */
  readonly maxTokens: number;
  /** Tokens after which the model stops by itself; it never does without. */
  readonly stopAfter?: number;
  /** With priority scheduling, the lower goes first; 0 by default. */
  readonly priority?: number;
  /**
   * The id of generated token `index`, from 0. A prompt that repeats an answer finds its blocks in the prefix
   * cache if the ids are those of the prompt's tokenizer. By default ids are made up, of this sequence alone.
   */
  readonly outputToken?: (index: number) => number;
}

/** A sequence in an engine. Times are those given to the model, in seconds; null until they come. */
export class Sequence {
  readonly spec: SequenceSpec;
  readonly arrival: number;
  state: 'waiting' | 'running' | 'finished' = 'waiting';
  finishReason: FinishReason | null = null;
  /** Tokens generated so far. */
  generated = 0;
  /** Tokens of the prompt and generated ones. */
  tokens: number;
  /** Prompt tokens that were found in the prefix cache when the sequence first ran: whole blocks. */
  cachedTokens = 0;
  preemptions = 0;
  /** Begin of the first step that computed some of it. */
  scheduledAt: number | null = null;
  firstTokenAt: number | null = null;
  /** For the model alone: `lastTokenAt`, NaN for null: a field of numbers alone is written without a new object. */
  lastToken = NaN;

  /** For the model alone: tokens whose KV is in blocks. */
  computed = 0;
  /** For the model alone: tokens that the step under way computes; 0 when it has none. */
  planned = 0;
  /** For the model alone: generated tokens at which it ends. */
  readonly limit: number;
  /** For the model alone: rank among equals. */
  readonly order: number;
  /** For the model alone: blocks held, in the order of the tokens. Bounded by the pool. */
  readonly blocks: number[] = [];
  /** For the model alone: names of the full blocks of all tokens so far. */
  readonly names: number[] = [];
  /** For the waiting queue alone. */
  previous: Sequence | null = null;
  next: Sequence | null = null;

  readonly #chain: HashChain;
  readonly #blockSize: number;
  /** The tokens of one block, for a moment. */
  #block: Int32Array | null = null;

  constructor(spec: SequenceSpec, arrival: number, order: number, limit: number, blockSize: number) {
    this.spec = spec;
    this.tokens = spec.promptTokens.length;
    this.arrival = arrival;
    this.order = order;
    this.limit = limit;
    this.#blockSize = blockSize;
    this.#chain = new HashChain(spec.cacheKey);
    const full = Math.floor(spec.promptTokens.length / blockSize);
    for (let block = 0; block < full; block++) {
      this.names.push(this.#chain.next(spec.promptTokens, block * blockSize, blockSize));
    }
  }

  get lastTokenAt(): number | null {
    return Number.isNaN(this.lastToken) ? null : this.lastToken;
  }

  /** Whether the next step generates a token from one token, rather than computing a prompt. */
  get decodes(): boolean {
    return this.generated > 0 && this.tokens - this.computed === 1;
  }

  /** Blocks when the whole answer is there; the last token is sampled and never computed. */
  get blocksAtEnd(): number {
    return Math.ceil((this.spec.promptTokens.length + Math.max(0, this.limit - 1)) / this.#blockSize);
  }

  get adapter(): string | null {
    return this.spec.adapter;
  }

  /** Counts a generated token, and names the block that it fills. */
  grow(): void {
    this.generated++;
    this.tokens++;
    if (this.tokens % this.#blockSize !== 0) return;
    const from = this.tokens - this.#blockSize;
    const block = (this.#block ??= new Int32Array(this.#blockSize));
    for (let at = 0; at < block.length; at++) block[at] = this.#token(from + at);
    this.names.push(this.#chain.next(block, 0, block.length));
  }

  #token(at: number): number {
    const { promptTokens, outputToken } = this.spec;
    if (at < promptTokens.length) return promptTokens[at] as number;
    const index = at - promptTokens.length;
    // No tokenizer has negative ids, so that made up ones never meet a prompt's.
    return outputToken ? outputToken(index) : Math.imul(this.order + 1, 0x9e3779b1 ^ index) | -0x80000000;
  }
}
