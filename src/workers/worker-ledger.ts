import type { BudgetNews } from '../core/retry-budget.js';

/** What one worker has changed of what all of them must know. */
export interface LedgerEntry {
  /** Requests in flight on each engine that has changed. */
  readonly inFlight: readonly (readonly [engineId: string, count: number])[];
  /** Bytes of bodies held. */
  readonly bodies: number;
  /** Counted since the entry before. */
  readonly budget: BudgetNews;
}

/** What has changed for one worker in what the others hold together. */
export interface OthersNews {
  readonly inFlight: readonly (readonly [engineId: string, count: number])[];
  readonly bodies: number;
  readonly budget: BudgetNews;
}

interface Account {
  /** Engines with requests of this worker in flight. */
  readonly inFlight: Map<string, number>;
  bodies: number;
  /** Engines of which the worker has not been told what the others have now. */
  readonly untold: Set<string>;
  bodiesUntold: boolean;
  requests: number;
  retries: number;
  early: number;
}

/**
 * Adds up what workers hold, and tells each of them the sum of the others. A worker that is gone holds
 * nothing. Bounded by the workers, and the engines with requests in flight of each.
 */
export class WorkerLedger {
  readonly #accounts = new Map<number, Account>();
  readonly #inFlight = new Map<string, number>();
  #bodies = 0;

  /** Bytes of bodies that all workers hold. */
  get bodies(): number {
    return this.#bodies;
  }

  /** Requests in flight of all workers. */
  get allInFlight(): number {
    let all = 0;
    for (const count of this.#inFlight.values()) all += count;
    return all;
  }

  /** A worker begins, with nothing of its own; it will be told what the others hold. */
  join(worker: number): void {
    this.leave(worker);
    this.#accounts.set(worker, {
      inFlight: new Map(),
      bodies: 0,
      untold: new Set(this.#inFlight.keys()),
      bodiesUntold: this.#bodies > 0,
      requests: 0,
      retries: 0,
      early: 0,
    });
  }

  /** A worker tells; from one that has not joined nothing is heard. */
  enter(worker: number, { inFlight, bodies, budget }: LedgerEntry): void {
    const account = this.#accounts.get(worker);
    if (!account) return;
    for (const [engineId, count] of inFlight) this.#set(worker, account, engineId, count);
    const more = bodies - account.bodies;
    account.bodies = bodies;
    this.#bodies += more;
    for (const [other, theirs] of this.#accounts) {
      if (other === worker) continue;
      if (more !== 0) theirs.bodiesUntold = true;
      theirs.requests += budget.requests;
      theirs.retries += budget.retries;
      theirs.early += budget.early;
    }
  }

  /** A worker is gone, and what it held with it. */
  leave(worker: number): void {
    const account = this.#accounts.get(worker);
    if (!account) return;
    const gone = [...account.inFlight.keys()].map((engineId) => [engineId, 0] as const);
    this.enter(worker, { inFlight: gone, bodies: 0, budget: { requests: 0, retries: 0, early: 0 } });
    this.#accounts.delete(worker);
  }

  /** What a worker has not been told yet; null when there is nothing. */
  take(worker: number): OthersNews | null {
    const account = this.#accounts.get(worker);
    if (!account) return null;
    const { untold, bodiesUntold, requests, retries, early } = account;
    if (untold.size === 0 && !bodiesUntold && requests === 0 && retries === 0) return null;
    const inFlight = [...untold].map((engineId) => {
      const all = this.#inFlight.get(engineId) ?? 0;
      return [engineId, all - (account.inFlight.get(engineId) ?? 0)] as const;
    });
    untold.clear();
    account.bodiesUntold = false;
    account.requests = account.retries = account.early = 0;
    return { inFlight, bodies: this.#bodies - account.bodies, budget: { requests, retries, early } };
  }

  #set(worker: number, account: Account, engineId: string, count: number): void {
    const before = account.inFlight.get(engineId) ?? 0;
    if (count === before) return;
    if (count === 0) account.inFlight.delete(engineId);
    else account.inFlight.set(engineId, count);
    const all = (this.#inFlight.get(engineId) ?? 0) + count - before;
    if (all === 0) this.#inFlight.delete(engineId);
    else this.#inFlight.set(engineId, all);
    for (const [other, { untold }] of this.#accounts) if (other !== worker) untold.add(engineId);
  }
}
