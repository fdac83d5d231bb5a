import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { DecisionRecord } from '../core/decision.js';
import { WorkerPool } from './worker-pool.js';

/** The longest wait for the decisions of a worker, milliseconds; then they are left out. */
const COLLECT_MS = 500;

interface Collection {
  readonly id: number;
  readonly waitsFor: Set<number>;
  readonly found: DecisionRecord[];
  readonly done: () => void;
}

/** The last decisions of all workers together. */
@Injectable()
export class WholeDecisions {
  #last = 0;
  /** One at a time, the others wait. Bounded by what workers have asked for, see `PrimaryLink`. */
  #collecting: Collection | null = null;
  #before: Promise<unknown> = Promise.resolve();

  constructor(private readonly pool: WorkerPool) {}

  /** The newest first, each with the number of its worker. */
  latest(count: number): Promise<readonly DecisionRecord[]> {
    const latest = this.#before.then(async () => this.#collect(count));
    this.#before = latest;
    return latest;
  }

  /** A worker tells. */
  told(worker: number, id: number, decisions: readonly DecisionRecord[]): void {
    if (this.#collecting?.id !== id) return;
    this.#collecting.found.push(...decisions.map((decision) => ({ ...decision, worker })));
    this.left(worker);
  }

  /** A worker has told, or is gone. */
  left(worker: number): void {
    const collecting = this.#collecting;
    collecting?.waitsFor.delete(worker);
    if (collecting?.waitsFor.size === 0) collecting.done();
  }

  async #collect(count: number): Promise<readonly DecisionRecord[]> {
    const id = ++this.#last;
    const waitsFor = new Set(this.pool.serving);
    const found: DecisionRecord[] = [];
    const late = new AbortController();
    const all = new Promise<void>((done) => (this.#collecting = { id, waitsFor, found, done }));
    this.pool.broadcast({ type: 'tellDecisions', id, count });
    const limit = pause(COLLECT_MS, undefined, { signal: late.signal, ref: false }).catch(() => {});
    await Promise.race([all, limit]);
    late.abort();
    this.#collecting = null;
    return found.sort((a, b) => b.time - a.time).slice(0, count);
  }
}
