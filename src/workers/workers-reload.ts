import { Injectable } from '@nestjs/common';
import { type PreparedChange, Reconfigurable } from '../config/reconfigurable.js';
import type { Settings } from '../config/settings.schema.js';
import { PrimaryState } from './primary-state.js';
import { WorkerPool } from './worker-pool.js';

/** A reload that waits for the workers to prepare. */
interface Preparing {
  readonly reload: number;
  readonly waitsFor: Set<number>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * The workers' part in a reload: each prepares beside what it runs, and all commit or all discard. One
 * that begins meanwhile gets the settings in force, and the new ones with the commit.
 */
@Injectable()
export class WorkersReload extends Reconfigurable {
  #last = 0;
  /** One at a time: looks at the dynamic file do not overlap. */
  #preparing: Preparing | null = null;

  constructor(
    private readonly pool: WorkerPool,
    private readonly state: PrimaryState,
  ) {
    super();
  }

  /** @throws {Error} when a worker cannot work with `next`, or ends meanwhile */
  override async prepare(next: Settings): Promise<PreparedChange> {
    const reload = ++this.#last;
    const discard = async (): Promise<void> => {
      this.#preparing = null;
      this.pool.broadcast({ type: 'discard', reload });
    };
    try {
      await new Promise<void>((resolve, reject) => {
        this.#preparing = { reload, waitsFor: new Set(this.pool.members), resolve, reject };
        this.pool.broadcast({ type: 'prepare', reload, settings: next });
        if (this.#preparing.waitsFor.size === 0) resolve();
      });
    } catch (error) {
      await discard();
      throw error;
    }
    return { commit: () => this.state.commit({ reload, settings: next }), discard };
  }

  /** A worker has prepared, or says why it cannot. */
  prepared(worker: number, reload: number, problem: string | null): void {
    const preparing = this.#preparing;
    if (preparing?.reload !== reload) return;
    if (problem !== null) return preparing.reject(new Error(`worker ${worker}: ${problem}`));
    preparing.waitsFor.delete(worker);
    if (preparing.waitsFor.size === 0) preparing.resolve();
  }

  /** A worker is gone. */
  left(worker: number): void {
    if (this.#preparing?.waitsFor.has(worker)) {
      this.#preparing.reject(new Error(`worker ${worker} ended while it prepared`));
    }
  }
}
