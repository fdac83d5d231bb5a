/** What a step says: go on, wait until `wake` is called (the reader is slow), or it was the last one. */
export type StepResult = 'more' | 'wait' | 'over';

/** One stream of tokens under way. */
export interface PacedJob {
  cancel(): void;
  wake(): void;
}

interface Job {
  due: number;
  interval: number;
  step: () => StepResult;
  waiting: boolean;
  over: boolean;
}

/** Steps of one job in one turn of the event loop, so that a job without a pace cannot starve the rest. */
const STEPS_PER_TURN = 32;

/**
 * Paces all token streams of an engine with one timer: hundreds of streams at 50 tokens a second each
 * cost one scan of a list per millisecond instead of a timer per token. Steps are due at fixed points in
 * time, so a late turn is caught up with and does not slow the stream.
 */
export class TokenPacer {
  private readonly jobs = new Set<Job>();
  private timer: { at: number; stop: () => void } | null = null;
  private frozen = false;

  /** Runs `step` after `delay` ms and then every `interval` ms until it is over. */
  run(delay: number, interval: number, step: () => StepResult): PacedJob {
    const job: Job = { due: performance.now() + delay, interval, step, waiting: false, over: false };
    this.jobs.add(job);
    this.arm(job.due);
    return {
      cancel: () => {
        job.over = true;
        this.jobs.delete(job);
        if (this.jobs.size === 0) this.disarm();
      },
      wake: () => {
        job.waiting = false;
        this.arm(job.due);
      },
    };
  }

  /** Stops all steps until `thaw`. */
  freeze(): void {
    this.frozen = true;
    this.disarm();
  }

  thaw(): void {
    this.frozen = false;
    this.arm(performance.now());
  }

  private arm(due: number): void {
    if (this.frozen || this.jobs.size === 0) return;
    if (this.timer !== null) {
      if (this.timer.at <= due) return;
      this.timer.stop();
    }
    const delay = due - performance.now();
    if (delay <= 0) {
      const immediate = setImmediate(() => this.turn());
      this.timer = { at: due, stop: () => clearImmediate(immediate) };
    } else {
      const timeout = setTimeout(() => this.turn(), Math.ceil(delay));
      this.timer = { at: due, stop: () => clearTimeout(timeout) };
    }
  }

  private disarm(): void {
    this.timer?.stop();
    this.timer = null;
  }

  private turn(): void {
    this.timer = null;
    const now = performance.now();
    let next = Infinity;
    for (const job of this.jobs) {
      for (let steps = 0; steps < STEPS_PER_TURN && job.due <= now && !job.waiting && !job.over; steps += 1) {
        const result = job.step();
        job.due += job.interval;
        if (result === 'wait') job.waiting = true;
        if (result === 'over') job.over = true;
      }
      if (job.over) this.jobs.delete(job);
      else if (!job.waiting) next = Math.min(next, job.due);
    }
    if (next !== Infinity) this.arm(next);
  }
}
