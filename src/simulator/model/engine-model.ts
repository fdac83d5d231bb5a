import type { BlockPool } from './block-pool.js';
import { EngineCounters } from './engine-counters.js';
import type { EngineProfile } from './engine-profile.js';
import { Scheduler, type SchedulerOptions } from './scheduler.js';
import { type FinishReason, Sequence, type SequenceSpec } from './sequence.js';
import { stepSeconds } from './step-cost.js';

export interface EngineModelOptions extends SchedulerOptions {
  /** Sequences that wait or run at most (`--max-num-queued-reqs`); no limit by default. */
  readonly maxQueuedRequests?: number;
  /**
   * Prompt tokens of sequences before their first token, from which on no more are taken
   * (`--max-num-queued-tokens`); the prompt that is looked at does not count. No limit by default.
   */
  readonly maxQueuedTokens?: number;
}

/** Who hears what a step brought. It may submit, abort and end sequences meanwhile. */
export interface StepSink {
  /**
   * `index` counts the generated tokens from 0. Meanwhile `lastTokenAt` of the sequence is still the time of
   * the token before.
   */
  token(sequence: Sequence, index: number): void;
  /** After the last token. Of sequences that `abort` or `end` took out nothing is told. */
  finished(sequence: Sequence, reason: FinishReason): void;
}

/**
 * A vLLM engine without its GPU: which sequences a step computes, how long that takes, and what becomes of the
 * KV cache. Continuous batching with chunked prefill, prefix cache, preemption with recomputation and LoRA
 * slots (`Scheduler`). It has no clock: who drives it calls `beginStep`, lets the seconds pass that it says,
 * and calls `endStep`; between the two, sequences may come and go.
 *
 * Bounds: see `Scheduler`; as many sequences wait as are submitted, up to `maxQueuedRequests`.
 */
export class EngineModel {
  readonly profile: EngineProfile;
  readonly counters = new EngineCounters();
  /** Of the last step: prompt tokens that it computed, and tokens that it generated. */
  readonly step = { prefillTokens: 0, generationTokens: 0 };
  readonly #options: EngineModelOptions;
  readonly #scheduler: Scheduler;
  #queuedTokens = 0;
  #order = 0;
  #stepping = false;

  /** @throws RangeError for a profile that could compute nothing */
  constructor(profile: EngineProfile, options: EngineModelOptions = {}) {
    const { blockSize, blocks, maxBatchedTokens, maxSequences } = profile;
    for (const [name, value] of Object.entries({ blockSize, maxBatchedTokens, maxSequences })) {
      if (!(Number.isInteger(value) && value >= 1))
        throw new RangeError(`${name} is ${value}, not 1 or more`);
    }
    if (!(Number.isInteger(blocks) && blocks >= 2))
      throw new RangeError(`blocks is ${blocks}, not 2 or more`);
    this.profile = profile;
    this.#options = options;
    this.#scheduler = new Scheduler(profile, this.counters, options);
  }

  /** Sequences in execution batches. */
  get running(): number {
    return this.#scheduler.running;
  }

  get waiting(): number {
    return this.#scheduler.waiting;
  }

  /** Those of `waiting` that the last step passed over because all LoRA slots were taken. */
  get deferred(): number {
    return this.#scheduler.deferred;
  }

  /** Share of the blocks that sequences hold, 0 to 1; blocks that are only cached are free. */
  get kvUsage(): number {
    return (this.pool.size - this.pool.free) / this.pool.size;
  }

  /** Prompt tokens of sequences that have given no token yet. */
  get queuedTokens(): number {
    return this.#queuedTokens;
  }

  /** Longest prompt with its answer that the cache can hold, tokens. */
  get capacity(): number {
    return this.pool.size * this.profile.blockSize;
  }

  /** The blocks, to look at. */
  get pool(): BlockPool {
    return this.#scheduler.pool;
  }

  /** How many sequences of each adapter run and wait. */
  get adapters(): {
    readonly running: ReadonlyMap<string, number>;
    readonly waiting: ReadonlyMap<string, number>;
  } {
    return this.#scheduler.loras;
  }

  /** Whether a step is under way: between `beginStep` and `endStep`. */
  get stepping(): boolean {
    return this.#stepping;
  }

  /**
   * Takes a sequence in, or says that the queue is full, which vLLM answers with 503. An answer for which the
   * cache is too small ends with `length` when it is full.
   *
   * @param now seconds, on the clock of the other calls
   * @throws RangeError for an empty prompt, one longer than `capacity`, or an adapter without LoRA slots
   */
  submit(spec: SequenceSpec, now: number): Sequence | 'queue_full' {
    const { length } = spec.promptTokens;
    if (length < 1 || length > this.capacity) {
      throw new RangeError(`a prompt of ${length} tokens is not from 1 to ${this.capacity}`);
    }
    if (spec.adapter !== null && this.profile.maxLoras < 1)
      throw new RangeError('the engine has no LoRA slots');
    if (this.#full()) return 'queue_full';
    // The last token is sampled and never computed, so that it needs no place in the cache.
    const limit = Math.min(spec.maxTokens, spec.stopAfter ?? Infinity, this.capacity - length + 1);
    const sequence = new Sequence(spec, now, this.#order++, limit, this.profile.blockSize);
    this.#queuedTokens += length;
    this.#scheduler.add(sequence);
    return sequence;
  }

  /**
   * Takes a sequence out, whose client left, and frees its blocks at once. No counter moves, as in vLLM. Safe
   * at any moment, and harmless when the sequence has ended.
   */
  abort(sequence: Sequence): void {
    this.#remove(sequence, 'abort');
  }

  /** As `abort`, but counted: a stop string was met, or a pause ends everything with `abort`. */
  end(sequence: Sequence, reason: FinishReason): void {
    if (this.#remove(sequence, reason)) this.counters.finished[reason]++;
  }

  /** Empties the prefix cache; false, and nothing is done, while a sequence holds blocks. */
  resetPrefixCache(): boolean {
    return this.pool.reset();
  }

  /** An operator unloaded the adapter; its next sequence has to load it. */
  unloadAdapter(adapter: string): void {
    this.#scheduler.loras.unload(adapter);
  }

  /**
   * Plans the next step; null when there is nothing to compute.
   * @throws Error while a step is under way
   */
  beginStep(now: number): { readonly seconds: number } | null {
    if (this.#stepping) throw new Error('a step is under way');
    const loads = this.#scheduler.plan(now);
    const { batch } = this.#scheduler;
    const overlap = this.#options.structure?.stepTime === 'longest';
    if (batch.length === 0) return null;
    this.#stepping = true;
    return { seconds: stepSeconds(this.profile, batch, overlap) + loads * this.profile.loraLoadSeconds };
  }

  /**
   * Applies the planned step: tokens, ends, freed blocks.
   * @throws Error when no step is under way
   */
  endStep(now: number, sink: StepSink): void {
    if (!this.#stepping) throw new Error('no step is under way');
    const { step, counters } = this;
    step.prefillTokens = 0;
    step.generationTokens = 0;
    for (const sequence of this.#scheduler.batch) {
      if (sequence.state !== 'running' || sequence.planned === 0) continue;
      if (!sequence.decodes) step.prefillTokens += sequence.planned;
      this.#scheduler.computed(sequence);
      if (sequence.computed === sequence.tokens) this.#produce(sequence, now, sink);
    }
    counters.steps++;
    this.#scheduler.dropEnded();
    this.#stepping = false;
  }

  /** All tokens are computed: the next one comes out, or the end. */
  #produce(sequence: Sequence, now: number, sink: StepSink): void {
    const { spec, limit } = sequence;
    if (sequence.generated === 0) this.counters.promptTokens += spec.promptTokens.length;
    if (limit > 0) {
      if (sequence.generated === 0) {
        this.#queuedTokens -= spec.promptTokens.length;
        sequence.firstTokenAt = now;
      }
      sequence.grow();
      this.counters.generationTokens++;
      this.step.generationTokens++;
      sink.token(sequence, sequence.generated - 1);
      sequence.lastToken = now;
      if (sequence.generated < limit) return;
    }
    const reason = limit === 0 || sequence.generated === spec.stopAfter ? 'stop' : 'length';
    if (!this.#remove(sequence, reason)) return;
    this.counters.finished[reason]++;
    sink.finished(sequence, reason);
  }

  #remove(sequence: Sequence, reason: FinishReason): boolean {
    if (!this.#scheduler.remove(sequence, reason)) return false;
    if (sequence.generated === 0) this.#queuedTokens -= sequence.spec.promptTokens.length;
    return true;
  }

  #full(): boolean {
    const { maxQueuedRequests = Infinity, maxQueuedTokens = Infinity } = this.#options;
    if (this.waiting + this.running >= maxQueuedRequests) this.counters.rejectedByRequests++;
    else if (this.#queuedTokens > 0 && this.#queuedTokens >= maxQueuedTokens)
      this.counters.rejectedByTokens++;
    else return false;
    return true;
  }
}
