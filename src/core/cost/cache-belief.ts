import type { EngineStats } from '../prometheus-text.js';
import type { ApiShape } from '../request-facts.js';

const LEAST_FACTOR = 0.7;
const MOST_FACTOR = 3;
/** A cache that is believed too small costs much more than one believed too large, so growing is the faster way. */
const GROWTH = 1.05;
const SHRINKAGE = 0.99;
/** Evidence that is weighed at once: this many tokens of prompts. */
const EVIDENCE_TOKENS = 50_000;
/** Below this difference of shares predicted and reported cached tokens count as equal. */
const EVEN = 0.02;
/** The index is at its bound from this share of it on; before that its size is not what is wrong. */
const FULL = 0.9;
/** A prompt that tells of a lost cache: as many tokens of it were believed to be cached. */
const MUCH_CACHED = 512;
/** As many such prompts in a row, with nothing of them cached. */
const LOST_AFTER = 3;
/** Two readings of the counters tell something when so many tokens were looked up between them. */
const LEAST_QUERIES = 5_000;

/** What an engine's figures or answers say of what is believed of its cache. */
export type CacheVerdict = 'as believed' | 'lost';

/**
 * What is believed of one engine's prefix cache: how large it is, and whether it is still there. Predictions are
 * held against what the engine reports: `cached_tokens` of each answer where it tells them
 * (`--enable-prompt-tokens-details`), else the hits and look-ups of its counters. A dozen numbers.
 */
export class CacheBelief {
  /** Tokens that the engine says its cache holds; null before it told. */
  #tokens: number | null = null;
  #factor = 1;
  #promptTokens = 0;
  #predictedTokens = 0;
  #reportedTokens = 0;
  #misses = 0;
  /** Of which answers the engine tells how much of the prompt was cached; few. */
  readonly #telling = new Set<ApiShape>();
  #heardCached = false;
  #queries: number | null = null;
  #hits: number | null = null;
  #sinceReading = { prompt: 0, predicted: 0 };
  #emptyReadings = 0;
  #produced: number | null = null;
  #startedAt: number | null = null;

  /**
   * Tokens that the cache is believed to hold: what the engine says times a factor from .7 to 3 that makes
   * predictions right; null when it has not said.
   */
  get capacityTokens(): number | null {
    return this.#tokens === null ? null : this.#tokens * this.#factor;
  }

  /** Of the next reading of the counters: so much of a prompt that was sent is believed to be cached. */
  heedSent(prompt: number, predicted: number): void {
    this.#sinceReading.prompt += prompt;
    this.#sinceReading.predicted += Math.min(predicted, prompt);
  }

  /**
   * How much of a prompt was cached, as an answer tells; null while the engine does not. Versions of vLLM from 0.9 on
   * leave the figure out where it is 0, others do not: after one of the same API, none is 0.
   */
  cachedOf(shape: ApiShape, told: number | null): number | null {
    // Of several APIs some have such a figure and some never.
    if (shape === 'other') return told;
    if (told !== null) this.#telling.add(shape);
    return this.#telling.has(shape) ? (told ?? 0) : null;
  }

  /**
   * An answer has told how much of its prompt was cached.
   * @param idle nothing was pending on the engine when the prompt was sent, so what was believed to be cached was computed
   * @param fullness share of the capacity that is believed to be used
   */
  heedReported(
    prompt: number,
    predicted: number,
    reported: number,
    idle: boolean,
    fullness: number,
  ): CacheVerdict {
    this.#heardCached = true;
    if (reported > 0) this.#misses = 0;
    else if (idle && predicted >= MUCH_CACHED) this.#misses++;
    if (this.#misses >= LOST_AFTER) {
      this.#forgetEvidence();
      return 'lost';
    }
    this.#weigh(prompt, Math.min(predicted, prompt), reported, fullness);
    return 'as believed';
  }

  /** Takes in a new scrape; `lost` when the engine has restarted, sleeps or has emptied its cache. */
  heedStats(stats: EngineStats, fullness: number): CacheVerdict {
    const tokens = (stats.numGpuBlocks ?? 0) * (stats.blockSize ?? 0);
    if (tokens > 0 && Number.isFinite(tokens)) this.#tokens = tokens;
    const startedAt = stats.startedAt ?? this.#startedAt;
    const restarted =
      (this.#startedAt !== null && startedAt !== this.#startedAt) ||
      fell(this.#queries, stats.prefixCacheQueries) ||
      fell(this.#produced, stats.promptTokens);
    this.#startedAt = startedAt;
    this.#produced = stats.promptTokens ?? this.#produced;
    const lost = this.#heedCounters(stats, restarted, fullness);
    // It may have been started with other options.
    if (restarted) this.#telling.clear();
    if (!lost && !restarted && stats.awake !== false) return 'as believed';
    this.#forgetEvidence();
    return 'lost';
  }

  #heedCounters(stats: EngineStats, restarted: boolean, fullness: number): boolean {
    const { prefixCacheQueries: queries, prefixCacheHits: hits } = stats;
    if (queries === null || hits === null) return false;
    const [asked, found] = [queries - (this.#queries ?? queries), hits - (this.#hits ?? hits)];
    // Too few look-ups: they stay, to be told with those of the next reading.
    if (!restarted && this.#queries !== null && asked < LEAST_QUERIES) return false;
    this.#queries = queries;
    this.#hits = hits;
    const sent = this.#sinceReading;
    this.#sinceReading = { prompt: 0, predicted: 0 };
    if (restarted || asked <= 0 || sent.prompt < LEAST_QUERIES) return false;
    const predicted = sent.predicted / sent.prompt;
    const reported = Math.min(Math.max(found / asked, 0), 1);
    this.#emptyReadings = found <= 0 && predicted > 0.3 ? this.#emptyReadings + 1 : 0;
    if (this.#emptyReadings >= 2) return true;
    if (!this.#heardCached) this.#weigh(sent.prompt, sent.predicted, reported * sent.prompt, fullness);
    return false;
  }

  #weigh(prompt: number, predicted: number, reported: number, fullness: number): void {
    this.#promptTokens += prompt;
    this.#predictedTokens += predicted;
    this.#reportedTokens += reported;
    if (this.#promptTokens < EVIDENCE_TOKENS) return;
    const off = (this.#reportedTokens - this.#predictedTokens) / this.#promptTokens;
    this.#promptTokens = this.#predictedTokens = this.#reportedTokens = 0;
    if (fullness < FULL || Math.abs(off) < EVEN) return;
    const factor = this.#factor * (off > 0 ? GROWTH : SHRINKAGE);
    this.#factor = Math.min(Math.max(factor, LEAST_FACTOR), MOST_FACTOR);
  }

  #forgetEvidence(): void {
    this.#promptTokens = this.#predictedTokens = this.#reportedTokens = 0;
    this.#misses = this.#emptyReadings = 0;
    this.#sinceReading = { prompt: 0, predicted: 0 };
  }
}

function fell(before: number | null, now: number | null): boolean {
  return before !== null && now !== null && now < before;
}
