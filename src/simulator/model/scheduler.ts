import { BlockPool } from './block-pool.js';
import type { EngineCounters } from './engine-counters.js';
import type { EngineProfile } from './engine-profile.js';
import type { EngineStructure } from './engine-structure.js';
import { LoraSlots } from './lora-slots.js';
import type { FinishReason, Sequence } from './sequence.js';
import { goesFirst, WaitingQueue } from './waiting-queue.js';

export interface SchedulerOptions {
  /** `--scheduling-policy priority` instead of first come, first served. */
  readonly priorityScheduling?: boolean;
  /** False: `--no-enable-prefix-caching`. */
  readonly prefixCaching?: boolean;
  /** As vLLM V1 by default. */
  readonly structure?: EngineStructure;
}

/**
 * Which sequences run, and what the next step computes of each. Those that run go on, in order, within the
 * token budget. When one needs a block and none is free, the one that comes last loses its blocks and waits,
 * before all others, to be computed again. If none had to, waiting sequences join, in order, until budget,
 * places or blocks lack; one whose adapter finds no slot is passed over. So does the scheduler of vLLM V1.
 *
 * Bounds: `maxSequences` run, the pool has its blocks; as many wait as are added.
 */
export class Scheduler {
  readonly pool: BlockPool;
  readonly loras: LoraSlots;
  readonly #profile: EngineProfile;
  readonly #counters: EngineCounters;
  readonly #byPriority: boolean;
  readonly #structure: Required<Omit<EngineStructure, 'stepTime'>>;
  readonly #waiting: WaitingQueue;
  /** In order of their begin; those that ended stay until `dropEnded`. */
  #running: Sequence[] = [];
  #runningCount = 0;
  #deferred = 0;
  /** Of the sequence that would join, for a moment. */
  readonly #found: number[] = [];

  constructor(profile: EngineProfile, counters: EngineCounters, options: SchedulerOptions) {
    this.#profile = profile;
    this.#counters = counters;
    this.#byPriority = options.priorityScheduling ?? false;
    const {
      preempts = true,
      keepsPreempted = true,
      evicts = 'leaf',
      caches = 'planned',
    } = options.structure ?? {};
    this.#structure = { preempts, keepsPreempted, evicts, caches };
    this.#waiting = new WaitingQueue(this.#byPriority);
    this.pool = new BlockPool(profile.blocks - 1, options.prefixCaching ?? true);
    this.loras = new LoraSlots(profile.maxLoras);
  }

  /** The sequences of the step; what ended since it was planned is still among them. */
  get batch(): readonly Sequence[] {
    return this.#running;
  }

  get running(): number {
    return this.#runningCount;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Waiting sequences that the last plan passed over for want of a LoRA slot. */
  get deferred(): number {
    return Math.min(this.#deferred, this.#waiting.size);
  }

  add(sequence: Sequence): void {
    this.#waiting.add(sequence);
    this.loras.enqueue(sequence.adapter);
  }

  /** Ends a sequence and frees its blocks; false when it had ended. */
  remove(sequence: Sequence, reason: FinishReason): boolean {
    if (sequence.state === 'finished') return false;
    if (sequence.state === 'waiting') {
      this.#waiting.remove(sequence);
      this.loras.dequeue(sequence.adapter);
    } else {
      this.#runningCount--;
      this.loras.stop(sequence.adapter);
    }
    if (this.#structure.evicts === 'root') sequence.blocks.reverse();
    this.pool.release(sequence.blocks);
    sequence.state = 'finished';
    sequence.finishReason = reason;
    sequence.planned = 0;
    return true;
  }

  /** Sets `planned` of each sequence of the batch; how many adapters have to be loaded for it. */
  plan(now: number): number {
    this.dropEnded();
    let budget = this.#profile.maxBatchedTokens;
    const { preemptions } = this.#counters;
    for (let at = 0; at < this.#running.length && budget > 0; at++) {
      const sequence = this.#running[at] as Sequence;
      const rest = sequence.tokens - sequence.computed;
      const chunk = rest < budget ? rest : budget;
      if (this.#fits(sequence, chunk)) {
        sequence.planned = chunk;
        budget -= chunk;
        continue;
      }
      while (sequence.state === 'running' && this.#lacking(sequence, chunk) > this.pool.free) {
        const last = this.#lastIndex();
        budget += this.#preempt(last);
        if (last <= at) at--;
      }
      if (sequence.state !== 'running') continue;
      this.#compute(sequence, chunk);
      budget -= chunk;
    }
    return this.#counters.preemptions === preemptions ? this.#admit(budget, now) : 0;
  }

  /** The planned tokens of a sequence are computed. */
  computed(sequence: Sequence): void {
    if (this.#structure.caches === 'computed') this.#nameFilled(sequence);
    sequence.computed += sequence.planned;
    sequence.planned = 0;
  }

  dropEnded(): void {
    if (this.#running.length === this.#runningCount) return;
    this.#running = this.#running.filter(({ state }) => state === 'running');
  }

  /** Whether the chunk ends inside the last block: nothing to allocate, and nothing to name. */
  #fits({ computed, blocks }: Sequence, chunk: number): boolean {
    return computed + chunk < blocks.length * this.#profile.blockSize;
  }

  /** Blocks that a sequence needs to compute `chunk` tokens more. */
  #lacking(sequence: Sequence, chunk: number): number {
    return Math.ceil((sequence.computed + chunk) / this.#profile.blockSize) - sequence.blocks.length;
  }

  /** Allocates for `chunk` tokens and names the blocks that they fill, so that the same step can find them. */
  #compute(sequence: Sequence, chunk: number): void {
    this.pool.allocate(this.#lacking(sequence, chunk), sequence.blocks);
    sequence.planned = chunk;
    if (this.#structure.caches === 'planned') this.#nameFilled(sequence);
  }

  /** Names the blocks that the planned tokens fill. */
  #nameFilled({ blocks, names, computed, planned }: Sequence): void {
    const { blockSize } = this.#profile;
    const full = Math.floor((computed + planned) / blockSize);
    for (let at = Math.floor(computed / blockSize); at < full; at++) {
      this.pool.name(blocks[at] as number, names[at] as number);
    }
  }

  /** Blocks that sequences which run will still need for the rest of their answers. */
  #promised(): number {
    let promised = 0;
    for (const sequence of this.#running) {
      if (sequence.state === 'running') promised += sequence.blocksAtEnd - sequence.blocks.length;
    }
    return promised;
  }

  /** Where the sequence stands that has to make room: the last one, or the one that priority puts last. */
  #lastIndex(): number {
    let last = this.#running.length - 1;
    if (!this.#byPriority) return last;
    for (let at = last - 1; at >= 0; at--) {
      if (goesFirst(this.#running[last] as Sequence, this.#running[at] as Sequence)) last = at;
    }
    return last;
  }

  /** Makes a sequence wait again, without its blocks; the budget that it had of this step. */
  #preempt(at: number): number {
    const [victim] = this.#running.splice(at, 1) as [Sequence];
    const { planned } = victim;
    if (this.#structure.evicts === 'root') victim.blocks.reverse();
    this.pool.release(victim.blocks, !this.#structure.keepsPreempted);
    this.loras.stop(victim.adapter);
    this.loras.enqueue(victim.adapter);
    this.#runningCount--;
    this.#counters.preemptions++;
    this.#waiting.putBack(victim);
    victim.state = 'waiting';
    victim.computed = 0;
    victim.planned = 0;
    victim.preemptions++;
    return planned;
  }

  /** Lets waiting sequences join; how many adapters have to be loaded for them. */
  #admit(budget: number, now: number): number {
    let left = budget;
    let loads = 0;
    this.#deferred = 0;
    let sequence = this.#waiting.first;
    while (sequence && left > 0 && this.#running.length < this.#profile.maxSequences) {
      const { next } = sequence;
      if (this.loras.fits(sequence.adapter)) {
        const chunk = this.#join(sequence, left);
        if (chunk === 0) break;
        left -= chunk;
        if (this.loras.start(sequence.adapter)) loads++;
        sequence.scheduledAt ??= now;
      } else {
        this.#deferred++;
      }
      sequence = next;
    }
    return loads;
  }

  /** Lets a waiting sequence run, beginning behind what the cache has; how much it computes, 0: no room. */
  #join(sequence: Sequence, budget: number): number {
    const { blockSize } = this.#profile;
    const { names, blocks, tokens } = sequence;
    // At least one token is computed: its output is the next token.
    this.pool.findChain(names, Math.floor((tokens - 1) / blockSize), this.#found);
    const hit = this.#found.length;
    const cached = hit * blockSize;
    const chunk = Math.min(budget, tokens - cached);
    const { preempts } = this.#structure;
    const needed = preempts
      ? Math.ceil((cached + chunk) / blockSize) - hit
      : sequence.blocksAtEnd - hit + this.#promised();
    if (needed > this.pool.free - this.pool.freeAmong(this.#found)) return 0;
    this.#waiting.remove(sequence);
    this.loras.dequeue(sequence.adapter);
    this.pool.share(this.#found, blocks);
    if (sequence.scheduledAt === null) {
      sequence.cachedTokens = cached;
      this.#counters.prefixQueries += tokens;
      this.#counters.prefixHits += cached;
    }
    sequence.state = 'running';
    sequence.computed = cached;
    this.#compute(sequence, chunk);
    this.#running.push(sequence);
    this.#runningCount++;
    return chunk;
  }
}
