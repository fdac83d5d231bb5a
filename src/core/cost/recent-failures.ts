import type { AttemptEvent } from '../attempt-event.js';
import { isDeadline } from '../attempt-failure.js';

/** How long a failure or an answer is remembered; after some of it an engine that failed is tried again. */
const FADE_MS = 10_000;
/** Fewer failures than one in a hundred answers are no reason to go elsewhere. */
const LEAST_ODDS = 0.01;

/**
 * How often one engine failed lately. One that answers every request with an error at once has nothing in flight and
 * nothing pending, and would seem the cheapest of all. Three numbers.
 */
export class RecentFailures {
  #failed = 0;
  #answered = 0;
  #at = -Infinity;

  /** Takes in how an attempt ended; a client that left and an error that blames the request say nothing bad. */
  heed({ outcome, status, cause, at }: AttemptEvent & { readonly type: 'finished' }): void {
    if (outcome === 'client_left' || outcome === 'hedged_away') return;
    if (cause === 'shutdown' || cause === 'total_timeout') return;
    if (cause !== null && isDeadline(cause)) return;
    const fade = this.#fade(at);
    const blamesRequest = status !== null && status >= 400 && status < 500;
    const failed =
      outcome !== 'done' && !blamesRequest && (outcome !== 'engine_error' || (status ?? 0) >= 500);
    this.#failed = this.#failed * fade + (failed ? 1 : 0);
    this.#answered = this.#answered * fade + (failed ? 0 : 1);
    if (at > this.#at) this.#at = at;
  }

  /**
   * Failures for one answer: 0 for an engine that does not fail, 1 for one that fails every second time.
   * @param now monotonic milliseconds
   */
  odds(now: number): number {
    if (this.#failed === 0) return 0;
    const fade = this.#fade(now);
    const odds = (this.#failed * fade) / (this.#answered * fade + 1);
    return odds >= LEAST_ODDS ? odds : 0;
  }

  #fade(now: number): number {
    return now > this.#at ? Math.exp((this.#at - now) / FADE_MS) : 1;
  }
}
