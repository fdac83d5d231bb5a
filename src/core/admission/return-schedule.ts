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
/** Seconds for which ends are told apart: more than the longest wait and its grace. */
const HORIZON = 128;
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

/** The promises of one key in the order in which they were made; the first one is open. */
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
  /** By the second of their end. */
  readonly #ends: Promised[][] = Array.from({ length: HORIZON }, () => []);
  /** The second from which on ends have not been looked at; null before the first promise. */
  #sweptTo: number | null = null;
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
    const second = Math.floor(until / 1e3);
    this.#ends[second % HORIZON]!.push(promise);
    this.#sweptTo = Math.min(this.#sweptTo ?? second, second);
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
    if (this.#sweptTo === null) return;
    const to = Math.min(Math.floor(now / 1e3), this.#sweptTo + HORIZON);
    for (let second = this.#sweptTo; second <= to; second++) {
      const ends = this.#ends[second % HORIZON] as Promised[];
      const later: Promised[] = [];
      for (const promise of ends) {
        if (promise.open && promise.until > now) later.push(promise);
        else if (promise.open) this.#close(promise, false);
      }
      this.#ends[second % HORIZON] = later;
    }
    this.#sweptTo = Math.max(this.#sweptTo, to);
  }

  #close(promise: Promised, came: boolean): void {
    promise.open = false;
    this.#open--;
    this.#share = this.#share * KEEP + (came ? 1 - KEEP : 0);
    this.tenants.promise(promise.tenant, -promise.work, promise.at);
    const chain = this.#promises.get(promise.key) as Chain;
    let first: Promised | null = chain.first;
    while (first !== null && !first.open) first = first.next;
    if (first === null) this.#promises.delete(promise.key);
    else chain.first = first;
  }
}
