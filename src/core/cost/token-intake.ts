/** How far back an intake looks, milliseconds: about as long as an answer takes. */
const SPAN_MS = 5_000;
/** More than any engine computes in that time. */
const MOST_TOKENS = 1e9;

/**
 * Uncached prompt tokens that an engine was sent in the last seconds, as a rate, the older the less. What is pending
 * tells of the wait at this moment; this tells how much of its time the engine spends on prompts. Three numbers.
 */
export class TokenIntake {
  #sum = 0;
  #at = -Infinity;
  #untold = 0;

  /**
   * This process has sent a prompt.
   * @param at monotonic milliseconds
   */
  send(tokens: number, at: number): void {
    this.heed(tokens, at);
    this.#untold += tokens > 0 && tokens < MOST_TOKENS ? tokens : 0;
  }

  /** Another process has sent as much; a number that makes no sense is not heard. */
  heed(tokens: unknown, at: number): void {
    if (typeof tokens !== 'number' || !(tokens > 0) || tokens > MOST_TOKENS || !Number.isFinite(at)) return;
    this.#sum = this.#sumAt(at) + tokens;
    this.#at = Math.max(this.#at, at);
  }

  /** What this process has sent since the last call. */
  takeUntold(): number {
    const untold = this.#untold;
    this.#untold = 0;
    return untold;
  }

  /** Tokens a second, over about the last five seconds before `now`. */
  rate(now: number): number {
    return this.#sumAt(now) / (SPAN_MS / 1_000);
  }

  #sumAt(now: number): number {
    return now > this.#at ? this.#sum * Math.exp((this.#at - now) / SPAN_MS) : this.#sum;
  }
}
