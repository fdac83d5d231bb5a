import type { EngineStats } from '../prometheus-text.js';

/** Scrapes in a row that must show requests of others before they are believed. */
const SCRAPES = 3;
/** Scrapes older than this many times their spacing are not heard any more, but at least after `LEAST_FRESH_MS`. */
const STALE_SPACINGS = 3;
const LEAST_FRESH_MS = 5_000;
const UNKNOWN_SPACING_MS = 30_000;
const KV_NEARLY_FULL = 0.95;
/** What counts as pending on an engine that is full although the router sees nothing pending, tokens. */
export const FULL_ENGINE_TOKENS = 10_000;

/**
 * What an engine's own figures add to what the router knows: requests that others sent, and an engine that makes
 * requests wait for memory. The router's own accounting is exact and immediate and the figures are seconds old, so
 * they correct and never replace it. Half a dozen numbers.
 */
export class ForeignLoad {
  #at: number | null = null;
  #spacing = UNKNOWN_SPACING_MS;
  /** Requests beyond the router's own, of the last scrapes, the newest last; at most `SCRAPES`. */
  #beyond: number[] = [];
  #full = 0;

  /**
   * Takes in a new scrape; null: the figures are not known any more.
   * @param own requests that this router has in flight on the engine
   * @param at monotonic milliseconds
   */
  heed(stats: EngineStats | null, own: number, at: number): void {
    if (stats === null || !Number.isFinite(at)) {
      this.#at = null;
      this.#beyond = [];
      this.#full = 0;
      return;
    }
    if (this.#at !== null && at > this.#at) this.#spacing = at - this.#at;
    this.#at = at;
    const waiting = known(stats.waiting);
    const beyond = known(stats.running) + waiting - own;
    this.#beyond = [...this.#beyond, Math.max(beyond, 0)].slice(-SCRAPES);
    const full = known(stats.kvCacheUsage) > KV_NEARLY_FULL || waiting > 0;
    this.#full = full ? this.#full + 1 : 0;
  }

  /** Requests in flight that are not the router's, as every one of the last three scrapes shows. */
  inFlight(now: number): number {
    if (this.#beyond.length < SCRAPES || !this.#fresh(now)) return 0;
    let least = Infinity;
    for (const beyond of this.#beyond) least = Math.min(least, beyond);
    return least;
  }

  /**
   * Tokens that count as pending beside the router's own: 10,000 where two scrapes in a row show waiting requests
   * or a KV cache over 95 %, and nothing of the router's own is pending.
   */
  pending(now: number, own: number): number {
    return own <= 0 && this.#full >= 2 && this.#fresh(now) ? FULL_ENGINE_TOKENS : 0;
  }

  #fresh(now: number): boolean {
    if (this.#at === null) return false;
    return now - this.#at <= Math.max(STALE_SPACINGS * this.#spacing, LEAST_FRESH_MS);
  }
}

/** 0 for a figure that the engine does not tell. */
function known(figure: number | null): number {
  return figure !== null && figure > 0 && Number.isFinite(figure) ? figure : 0;
}
