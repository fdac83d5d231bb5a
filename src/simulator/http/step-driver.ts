import type { EngineMetrics } from '../metrics/engine-metrics.js';
import type { EngineModel, StepSink } from '../model/engine-model.js';
import type { FinishReason, Sequence } from '../model/sequence.js';
import type { Job } from './job.js';
import { EARLY, TurnTimer } from './turn-timer.js';

/** A pace that does not depend on the load, seconds; replaces what the profile's steps would take. */
export interface FixedPace {
  readonly timeToFirstToken: number;
  readonly tokenInterval: number;
}

/** Tokens after which other work gets its turn, so that steps that cost nothing cannot starve it. */
const TOKENS_PER_TURN = 2_048;

/** A process that stood still for longer, in seconds, goes on from now instead of catching up. */
const FORGOTTEN_AFTER = 1;

/**
 * Drives an `EngineModel` by the wall clock: each step begins at the planned end of the one before, so that late
 * timers do not slow the engine; late steps are caught up with, several in one turn. An idle engine has no timer.
 *
 * Bound: as many jobs as requests are open.
 */
export class StepDriver implements StepSink {
  /** Everything that has been submitted and has not ended. */
  readonly live = new Set<Job>();
  /** Submitted while new requests are held, in their order. */
  readonly #held = new Set<Job>();
  /** Outputs with something to write at the end of this turn. */
  readonly #dirty = new Set<Job['output']>();
  /** Who waits for that; as many as there are requests to wait. */
  #emptied: (() => void)[] = [];
  #holding = false;
  #frozenAt: number | null = null;
  /** Planned end of the step under way; null between steps. */
  #stepEnd: number | null = null;
  #now = 0;
  #tokens = 0;
  #decoding = 0;
  readonly #timer: TurnTimer;
  /** Factor on the time of the steps that begin from now on. */
  slowdown = 1;

  /** @param clock seconds, never going back */
  constructor(
    readonly model: EngineModel,
    private readonly clock: () => number,
    private readonly pace: FixedPace | null,
    private readonly metrics: EngineMetrics,
  ) {
    this.#timer = new TurnTimer(clock, () => {
      this.#advance(this.clock());
      this.#arm();
    });
  }

  /** Requests that wait outside of the engine, as those of a paused one. */
  get held(): number {
    return this.#held.size;
  }

  /**
   * Takes in the jobs of one request, which run in one step if there is room. False, and none is in, when the queue of
   * the engine is full. The first token comes in a later turn.
   */
  submit(jobs: readonly Job[]): boolean {
    for (const job of jobs) this.live.add(job);
    if (this.#holding) {
      for (const job of jobs) this.#held.add(job);
      return true;
    }
    const now = this.clock();
    this.#advance(now);
    for (const job of jobs) {
      const sequence = this.model.submit(job, now);
      if (sequence === 'queue_full') {
        for (const one of jobs) this.abort(one);
        return false;
      }
      job.sequence = sequence;
    }
    if (!this.model.stepping) this.#begin(now);
    this.#arm();
    return true;
  }

  /** The client has left, or nobody wants more. Harmless when it has ended. */
  abort(job: Job): void {
    this.#held.delete(job);
    if (!this.live.delete(job) || job.sequence === null) return;
    this.#forget(job.sequence);
    this.model.abort(job.sequence);
    this.#tellEmpty();
    this.#endEmptyStep();
  }

  /** Ends everything with `reason`, as a pause with `mode=abort`. */
  endAll(reason: FinishReason): void {
    for (const job of this.live) {
      if (this.#held.has(job)) continue;
      this.live.delete(job);
      if (job.sequence !== null) {
        this.#forget(job.sequence);
        this.model.end(job.sequence, reason);
        this.metrics.observeFinished(job.sequence, this.clock());
      }
      job.output.finished(job.choice, reason);
      this.#dirty.add(job.output);
    }
    this.#flush();
    this.#endEmptyStep();
  }

  /** Resolves once nothing runs or waits in the engine. */
  async whenEmpty(): Promise<void> {
    if (this.live.size > this.#held.size) await new Promise<void>((resolve) => this.#emptied.push(resolve));
  }

  /** The engine has died: everything fails. */
  failAll(): void {
    for (const job of this.live) {
      this.abort(job);
      job.output.fail();
    }
  }

  /** New requests wait outside of the engine until `admit`; what is in it goes on. */
  hold(): void {
    this.#holding = true;
  }

  admit(): void {
    this.#holding = false;
    for (const job of this.#held) {
      this.#held.delete(job);
      if (this.submit([job])) continue;
      job.output.finished(job.choice, 'abort');
      job.output.flush();
    }
  }

  /** Stops all steps until `thaw`. */
  freeze(): void {
    this.#frozenAt ??= this.clock();
    this.#timer.clear();
  }

  thaw(): void {
    if (this.#frozenAt === null) return;
    const now = this.clock();
    if (this.#stepEnd !== null) this.#stepEnd += now - this.#frozenAt;
    this.#frozenAt = null;
    if (!this.model.stepping) this.#begin(now);
    this.#arm();
  }

  token(sequence: Sequence, index: number): void {
    const job = sequence.spec as Job;
    this.#tokens += 1;
    if (index === 0) this.#decoding += 1;
    this.metrics.observeToken(sequence, this.#now);
    job.output.token(job.choice);
    this.#dirty.add(job.output);
  }

  finished(sequence: Sequence, reason: FinishReason): void {
    const job = sequence.spec as Job;
    this.live.delete(job);
    this.#forget(sequence);
    this.metrics.observeFinished(sequence, this.#now);
    job.output.finished(job.choice, reason);
    this.#dirty.add(job.output);
  }

  /** A step without sequences left is not waited for. */
  #endEmptyStep(): void {
    if (this.model.running > 0 || this.#stepEnd === null || this.#frozenAt !== null) return;
    this.#stepEnd = null;
    const now = this.clock();
    this.model.endStep(now, this);
    this.#begin(now);
    this.#arm();
  }

  #forget(sequence: Sequence): void {
    if (sequence.generated > 0) this.#decoding -= 1;
  }

  /** Ends all steps that are due, within the bounds of a turn. */
  #advance(now: number): void {
    if (this.#frozenAt !== null) return;
    this.#tokens = 0;
    while (this.#stepEnd !== null && this.#stepEnd <= now + EARLY && this.#tokens < TOKENS_PER_TURN) {
      const end = this.#stepEnd;
      this.#now = end;
      this.#stepEnd = null;
      this.model.endStep(end, this);
      this.metrics.observeStep(Date.now() / 1e3);
      this.#begin(now - end > FORGOTTEN_AFTER ? now : end);
    }
    this.#flush();
  }

  #begin(now: number): void {
    if (this.#frozenAt !== null) return;
    const step = this.model.beginStep(now);
    if (step !== null) this.#stepEnd = now + this.#seconds(step.seconds) * this.slowdown;
  }

  #seconds(planned: number): number {
    const { pace } = this;
    if (pace === null) return planned;
    const first = this.model.running > this.#decoding ? pace.timeToFirstToken : 0;
    return Math.max(first, this.#decoding > 0 ? pace.tokenInterval : 0);
  }

  /** All that came out in this turn, one write for each answer. */
  #flush(): void {
    for (const output of this.#dirty) output.flush();
    this.#dirty.clear();
    this.#tellEmpty();
  }

  #tellEmpty(): void {
    if (this.#emptied.length === 0 || this.live.size > this.#held.size) return;
    for (const resolve of this.#emptied.splice(0)) resolve();
  }

  #arm(): void {
    if (this.#stepEnd === null || this.#frozenAt !== null) this.#timer.clear();
    else this.#timer.set(this.#stepEnd);
  }
}
