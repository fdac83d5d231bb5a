import type { AttemptEvent, TokenUsage } from '../core/attempt-event.js';
import {
  type DecidedAttempt,
  type DecidedPlace,
  decidedPlace,
  type DecisionRecord,
  MOST_PLACES,
} from '../core/decision.js';
import type { Ranked, Ranking } from '../core/ranking.js';
import type { RequestFacts } from '../core/request-facts.js';

/** What a trace needs to know of its request. */
export interface TraceStart {
  readonly facts: RequestFacts;
  readonly strategy: string;
  /** Stands for the session; null without one. */
  readonly session: string | null;
  /** Monotonic milliseconds. */
  readonly receivedAt: number;
  /** Seconds since the epoch. */
  readonly time: number;
}

type Open = { -readonly [Key in keyof DecidedAttempt]: DecidedAttempt[Key] };

/** Seconds with microseconds. */
const secondsOf = (ms: number): number => Math.round(ms * 1_000) / 1e6;

/**
 * Follows one request from its decision to its end. Keeps words and numbers alone, neither the request nor
 * engines: traces outlive both. Bounded by `MOST_PLACES` places and attempts.
 */
export class DecisionTrace {
  readonly #facts: Pick<DecisionRecord, 'id' | 'model' | 'path' | 'stream' | 'session' | 'strategy' | 'time'>;
  readonly #receivedAt: number;
  readonly #ranking: readonly DecidedPlace[];
  readonly #candidates: number;
  readonly #attempts: Open[] = [];
  /** Attempts that were begun; `#attempts` has the last of them. */
  #begun = 0;
  #retryRefused = false;
  #ttft: number | null = null;
  #duration: number | null = null;
  #usage: TokenUsage | null = null;
  #pieces: number | null = null;

  constructor({ facts, strategy, session, receivedAt, time }: TraceStart, ranking: Ranking) {
    const { id, model, path, stream } = facts;
    this.#facts = { time, id, model, path, stream, session, strategy };
    this.#receivedAt = receivedAt;
    this.#ranking = ranking.slice(0, MOST_PLACES).map(decidedPlace);
    this.#candidates = ranking.length;
  }

  dispatched(taken: Ranked): void {
    this.#begun++;
    if (this.#attempts.length === MOST_PLACES) this.#attempts.shift();
    this.#attempts.push({
      ...decidedPlace(taken),
      outcome: null,
      cause: null,
      status: null,
      duration: null,
    });
  }

  /** Another engine was left, but the retry budget was spent. */
  retryRefused(): void {
    this.#retryRefused = true;
  }

  /** @param at monotonic milliseconds */
  firstToken(at: number): void {
    this.#ttft ??= secondsOf(at - this.#receivedAt);
  }

  finished(event: AttemptEvent & { type: 'finished' }): void {
    const attempt = this.#attempts[event.attempt - 1 - (this.#begun - this.#attempts.length)];
    if (attempt === undefined) return;
    attempt.outcome = event.outcome;
    attempt.cause = event.cause;
    attempt.status = event.status;
    attempt.duration = secondsOf(event.sinceDispatch);
    if (event.outcome === 'hedged_away') return;
    this.#usage = event.usage;
    this.#pieces = event.pieces || null;
  }

  /** The request is over. @param at monotonic milliseconds */
  ended(at: number): void {
    this.#duration = secondsOf(at - this.#receivedAt);
  }

  /** What is known by now. */
  record(): DecisionRecord {
    // Of two at once it is the one that answered.
    const last = this.#attempts.findLast(({ outcome }) => outcome !== 'hedged_away');
    const usage = this.#usage;
    const uncached = last?.uncached;
    const predicted =
      usage === null || uncached === undefined ? null : Math.max(0, Math.round(usage.prompt - uncached));
    return {
      ...this.#facts,
      candidates: this.#candidates,
      ranking: this.#ranking,
      attempts: this.#attempts,
      retry_refused: this.#retryRefused,
      engine: last?.engine ?? null,
      outcome: last?.outcome ?? null,
      status: last?.status ?? null,
      ttft: this.#ttft,
      duration: this.#duration,
      prompt_tokens: usage?.prompt ?? null,
      completion_tokens: usage?.completion ?? null,
      cached_tokens: usage?.cached ?? null,
      predicted_cached_tokens: predicted,
      pieces: this.#pieces,
    };
  }
}
