import { type AttemptCause, isDeadline } from './attempt-failure.js';

const BUCKETS = 10;

/** Requests and retries since the last news; `early` of the retries were such. */
export interface BudgetNews {
  readonly requests: number;
  readonly retries: number;
  readonly early: number;
}

/**
 * Limits retries that follow an answer or a timeout to a share of the recent requests, so that a sick
 * fleet is not given its load several times over. Retries of requests that got no answer at all are
 * not counted here. State: ten buckets of one second.
 *
 * Within that, a smaller share holds for early attempts: those that begin before the router itself has given the
 * engine up, as hedges do and what follows a limit that the client has set. So neither takes what failures need.
 */
export class RetryBudget {
  readonly #requests = new Uint32Array(BUCKETS);
  readonly #retries = new Uint32Array(BUCKETS);
  readonly #early = new Uint32Array(BUCKETS);
  #second = -1;
  #news = { requests: 0, retries: 0, early: 0 };

  /**
   * @param share of the requests of the last ten seconds that may be retried, 0 to 1
   * @param floor retries in ten seconds that are always allowed
   * @param earlyShare of those requests that may have an early attempt, rounded up
   */
  constructor(
    private readonly share = 0.2,
    private readonly floor = 10,
    private readonly earlyShare = 0.05,
  ) {}

  /** Counts a request. `now` in monotonic milliseconds. */
  request(now: number): void {
    this.#requests[this.#advance(now)]!++;
    this.#news.requests++;
  }

  /** What was counted here since the last call, for the other processes on the port. */
  takeNews(): BudgetNews {
    const news = this.#news;
    this.#news = { requests: 0, retries: 0, early: 0 };
    return news;
  }

  /** Counts what another process has counted, as if it were of this second. `now` in monotonic milliseconds. */
  add({ requests, retries, early }: BudgetNews, now: number): void {
    const bucket = this.#advance(now);
    this.#requests[bucket]! += requests;
    this.#retries[bucket]! += retries;
    this.#early[bucket]! += early;
  }

  /** Takes one retry out of the budget; false when it is used up. */
  take(now: number): boolean {
    const bucket = this.#advance(now);
    const allowed = Math.max(this.floor, this.share * sum(this.#requests));
    if (sum(this.#retries) >= allowed) return false;
    this.#retries[bucket]!++;
    this.#news.retries++;
    return true;
  }

  /** Whether an early attempt could be taken now. */
  hasEarly(now: number): boolean {
    this.#advance(now);
    return sum(this.#early) < this.earlyShare * sum(this.#requests);
  }

  /** Takes one early attempt, which is a retry too; false when either budget is used up. */
  takeEarly(now: number): boolean {
    if (!this.hasEarly(now) || !this.take(now)) return false;
    this.#early[this.#advance(now)]!++;
    this.#news.early++;
    return true;
  }

  /** Takes one retry for what failed an attempt: where a limit of the client's own did, one that counts as early too. */
  takeFor(cause: AttemptCause, now: number): boolean {
    return isDeadline(cause) ? this.takeEarly(now) : this.take(now);
  }

  #advance(now: number): number {
    const second = Math.floor(now / 1_000);
    if (second > this.#second) {
      const passed = Math.min(second - this.#second, BUCKETS);
      for (let i = 0; i < passed; i++) {
        const bucket = (second - i) % BUCKETS;
        this.#requests[bucket] = 0;
        this.#retries[bucket] = 0;
        this.#early[bucket] = 0;
      }
      this.#second = second;
    }
    return this.#second % BUCKETS;
  }
}

function sum(buckets: Uint32Array): number {
  let total = 0;
  for (let i = 0; i < BUCKETS; i++) total += buckets[i]!;
  return total;
}
