import type { Tenant, TenantAccounts } from './tenant-accounts.js';

/** Promises that are remembered; whoever is refused beyond is told a time and met as a new one. */
const MOST_PROMISES = 65_536;
/** The latest that a client is told to come back, seconds: clients of OpenAI's API heed no longer times. */
export const LONGEST_RETRY = 60;
/** How long after its time a client is waited for: at least so many milliseconds, and a share of its wait. */
const GRACE_MS = 2_000;
const GRACE_SHARE = 0.1;
/** How much sooner than told it may come: clocks and rounding. */
const EARLY_MS = 250;
/** What is believed of clients that were told when to come back: about the last fifty count. */
const KEEP = 0.98;
const LEAST_SHARE = 0.05;

/** A client that was refused is to come back. */
interface Promised {
  readonly key: number;
  readonly tenant: Tenant;
  readonly work: number;
  readonly since: number;
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly until: number;
  open: boolean;
  /** The next promise of the same key. */
  next: Promised | null;
}

/** The open promises of one key, in the order in which they were made, which is the order in which they end. */
interface Chain {
  first: Promised;
  last: Promised;
}

/**
 * Who was refused and when each is to come back. A client that comes back with the same request at its time goes before
 * those that are new, as if it had waited here; until then its work counts as work that is to be done.
 *
 * Bounded by 65,536 promises.
 */
export class ReturnSchedule {
  /** By what tells requests apart. */
  readonly #promises = new Map<number, Chain>();
  /** In the order in which they were made, in which they end: their times are almost in that order too. */
  #queue: Promised[] = [];
  #queueAt = 0;
  #open = 0;
  #share = 1;

  constructor(private readonly tenants: TenantAccounts) {}

  /** Promises that are open. */
  get size(): number {
    return this.#open;
  }

  /** The share of the clients that do come back, as learned, 0 to 1. */
  get share(): number {
    return Math.max(this.#share, LEAST_SHARE);
  }

  /**
   * Remembers a client that was refused.
   * @param key tells its request from others
   * @param since when it came, monotonic milliseconds; `at` when it is to come back
   */
  add(key: number, tenant: Tenant, work: number, since: number, at: number): void {
    if (this.#open >= MOST_PROMISES) return;
    const until = at + Math.max(GRACE_MS, (at - since) * GRACE_SHARE);
    const promise: Promised = { key, tenant, work, since, at, until, open: true, next: null };
    const chain = this.#promises.get(key);
    if (chain === undefined) this.#promises.set(key, { first: promise, last: promise });
    else chain.last = chain.last.next = promise;
    this.#queue.push(promise);
    this.#open++;
    this.tenants.promise(tenant, work, at);
  }

  /** A request has come: when it was refused first, where it was told to come back now; else null. */
  claim(key: number, now: number): number | null {
    const promise = this.#promises.get(key)?.first;
    if (promise === undefined || now < promise.at - EARLY_MS) return null;
    this.#close(promise, true);
    return promise.since;
  }

  /** Forgets those who have not come in time. */
  sweep(now: number): void {
    while (this.#queueAt < this.#queue.length) {
      const promise = this.#queue[this.#queueAt] as Promised;
      if (promise.open && promise.until > now) break;
      this.#queueAt++;
      if (promise.open) this.#close(promise, false);
    }
    if (this.#queueAt > 1_024 && this.#queueAt * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#queueAt);
      this.#queueAt = 0;
    }
  }

  /** Forgets all promises: nobody will be let in before others. */
  clear(): void {
    for (const promise of this.#queue) if (promise.open) this.#close(promise, true);
    this.#queue = [];
    this.#queueAt = 0;
  }

  #close(promise: Promised, came: boolean): void {
    promise.open = false;
    this.#open--;
    this.#share = this.#share * KEEP + (came ? 1 - KEEP : 0);
    this.tenants.promise(promise.tenant, -promise.work, promise.at);
    const chain = this.#promises.get(promise.key) as Chain;
    if (promise.next === null) this.#promises.delete(promise.key);
    else chain.first = promise.next;
  }
}
