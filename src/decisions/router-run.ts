import { createHmac, randomInt } from 'node:crypto';

/** The largest number that `randomInt` draws from, and less than what a double holds exactly. */
const SEEDS = 2 ** 48 - 1;

/**
 * One run of the router, all its workers included: what is random once for it. Names of blocks and of sessions
 * can be compared within a run, and say nothing outside of it.
 */
export class RouterRun {
  /**
   * @param seed of all hashes of what clients sent, so that nobody can make two prompts look alike
   * @param worker the number of this worker, from 1; null in a router of one process
   */
  constructor(
    readonly seed: number = randomInt(SEEDS),
    readonly worker: number | null = null,
  ) {}

  /** Names the run in logs. */
  get name(): string {
    return this.#hash('run');
  }

  /** Stands for the value of a session key, which may be the name of a person. */
  nameOf(session: string): string {
    return this.#hash(`session ${session}`);
  }

  #hash(text: string): string {
    return createHmac('sha256', String(this.seed)).update(text).digest('hex').slice(0, 16);
  }
}
