/** One prompt on its way to its first token, as `PendingTokens` keeps it. In at most one list. */
export interface PendingPrompt {
  /** Prompt tokens that the engine is believed to have to compute; a whole number, so that sums stay exact. */
  readonly uncached: number;
  /** When it counts as computed, monotonic milliseconds; `Infinity` when its first token will tell. */
  computedAt: number;
  before: PendingPrompt | null;
  after: PendingPrompt | null;
  pending: boolean;
}

/**
 * The uncached prompt tokens that were sent to one engine and are not computed yet. Prompts whose first token the
 * router sees are released by it. For the others it is reckoned: engines compute prompts in the order in which
 * they come, so each is ready after what is before it and itself, at the learned rate.
 *
 * All O(1) amortised. Bound: the requests in flight.
 */
export class PendingTokens {
  /** Of streams, until released. */
  #awaited = 0;
  /** Of the reckoned ones, the oldest first; `computedAt` never falls along the list. */
  #first: PendingPrompt | null = null;
  #last: PendingPrompt | null = null;
  #reckoned = 0;

  /** The first token of this prompt will be seen. */
  addAwaited(prompt: PendingPrompt): void {
    if (prompt.pending) return;
    prompt.pending = true;
    prompt.computedAt = Infinity;
    this.#awaited += prompt.uncached;
  }

  /**
   * The first token of this prompt will not be seen.
   * @param now monotonic milliseconds
   * @param rate tokens that the engine computes in a second
   */
  addReckoned(prompt: PendingPrompt, now: number, rate: number): void {
    if (prompt.pending) return;
    const wait = ((this.at(now) + prompt.uncached) / Math.max(rate, 1)) * 1000;
    prompt.pending = true;
    prompt.computedAt = Math.max(now + wait, this.#last?.computedAt ?? -Infinity);
    prompt.before = this.#last;
    prompt.after = null;
    if (this.#last === null) this.#first = prompt;
    else this.#last.after = prompt;
    this.#last = prompt;
    this.#reckoned += prompt.uncached;
  }

  /** Its first token has come, or its attempt is over; a second release does nothing. */
  release(prompt: PendingPrompt): void {
    if (!prompt.pending) return;
    prompt.pending = false;
    if (prompt.computedAt === Infinity) this.#awaited -= prompt.uncached;
    else this.#unlink(prompt);
  }

  /** Drops what counts as computed at `now`; `at` is right without it, and cheaper after it. */
  settle(now: number): void {
    while (this.#first !== null && this.#first.computedAt <= now) this.release(this.#first);
  }

  /** Some of what is pending goes by the time alone. */
  get wanes(): boolean {
    return this.#first !== null;
  }

  /** Tokens that are pending at `now`. Changes nothing. */
  at(now: number): number {
    let tokens = this.#awaited + this.#reckoned;
    for (let one = this.#first; one !== null && one.computedAt <= now; one = one.after)
      tokens -= one.uncached;
    return tokens;
  }

  #unlink(prompt: PendingPrompt): void {
    if (prompt.before === null) this.#first = prompt.after;
    else prompt.before.after = prompt.after;
    if (prompt.after === null) this.#last = prompt.before;
    else prompt.after.before = prompt.before;
    prompt.before = prompt.after = null;
    this.#reckoned -= prompt.uncached;
  }
}
