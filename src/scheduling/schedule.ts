import { SchedulerRegistry } from '@nestjs/schedule';

// Several routers may share the scheduler of one application, where names must differ.
let schedules = 0;

// Node runs a timer with a longer delay at once.
const MAX_DELAY = 2 ** 31 - 1;

/** One repeated task in Nest's `SchedulerRegistry`, whose interval can be changed. */
export class Schedule {
  readonly #schedulers: SchedulerRegistry;
  readonly #task: () => void;
  readonly #name: string;
  /** Seconds; null before the first `every` and after `stop`. */
  #interval: number | null = null;

  /** @param task must not throw; one that takes longer than the interval guards itself against overlap */
  constructor(schedulers: SchedulerRegistry, what: string, task: () => void) {
    this.#schedulers = schedulers;
    this.#name = `vllm-router ${what} ${++schedules}`;
    this.#task = task;
  }

  get started(): boolean {
    return this.#interval !== null;
  }

  /** True but for a task that was scheduled and was taken out of the registry by somebody else. */
  get alive(): boolean {
    return this.#interval === null || this.#schedulers.doesExist('interval', this.#name);
  }

  /** Runs the task every `seconds` from now on. The same interval again changes nothing. */
  every(seconds: number): void {
    if (seconds === this.#interval && this.alive) return;
    this.stop();
    const timer = setInterval(this.#task, Math.min(seconds * 1000, MAX_DELAY));
    timer.unref();
    this.#schedulers.addInterval(this.#name, timer);
    this.#interval = seconds;
  }

  stop(): void {
    this.#interval = null;
    if (this.#schedulers.doesExist('interval', this.#name)) this.#schedulers.deleteInterval(this.#name);
  }
}
