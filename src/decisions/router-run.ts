import { createHmac, randomBytes } from 'node:crypto';
import type { Hash64 } from '../core/hash.js';

/**
 * One run of the router, all its workers included: what is random once for it. Names of blocks and of sessions
 * can be compared within a run, and say nothing outside of it.
 */
export class RouterRun {
  /**
   * @param key of all hashes of what clients sent, so that nobody can make two prompts look alike
   * @param worker the number of this worker, from 1; null in a router of one process
   */
  constructor(
    readonly key: Hash64 = randomKey(),
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
    const { high, low } = this.key;
    return createHmac('sha256', `${high} ${low}`).update(text).digest('hex').slice(0, 16);
  }
}

function randomKey(): Hash64 {
  const bytes = randomBytes(8);
  return { high: bytes.readUInt32LE(0), low: bytes.readUInt32LE(4) };
}
