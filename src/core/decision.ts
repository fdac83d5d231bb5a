import type { AttemptOutcome } from './attempt-event.js';
import type { CostTerms, Ranked, Ranking } from './ranking.js';

/** Places of a ranking, and attempts of a request, that a record keeps. */
export const MOST_PLACES = 16;
/** Longest reason that is kept, in characters: it comes from a strategy, which may be a plugin's. */
const LONGEST_REASON = 200;

/** An engine at its place in a ranking. The keys are those of docs/decision-log.md, as in all that follows. */
export interface DecidedPlace {
  readonly engine: string;
  readonly reason: string;
  readonly uncached?: number;
  readonly pending?: number;
  readonly in_flight?: number;
  readonly slowness?: number;
  readonly cost?: number;
}

/** One try; what tells of its end is null while it is under way. `duration` in seconds. */
export interface DecidedAttempt extends DecidedPlace {
  readonly outcome: AttemptOutcome | null;
  readonly cause: string | null;
  readonly status: number | null;
  readonly duration: number | null;
}

/** How one request was sent where it went, and what came of it; no text of its prompt or its answer. */
export interface DecisionRecord {
  /** When the request was received, seconds since the epoch. */
  readonly time: number;
  readonly id: string;
  readonly model: string;
  readonly path: string;
  readonly stream: boolean;
  /** Stands for the value of the session key. */
  readonly session: string | null;
  readonly strategy: string;
  /** Engines that could be chosen; `ranking` has the best of them. */
  readonly candidates: number;
  readonly ranking: readonly DecidedPlace[];
  readonly attempts: readonly DecidedAttempt[];
  /** The last attempt was not followed by another one since the retry budget was spent. */
  readonly retry_refused: boolean;
  /** Base URL of the engine that was tried last. */
  readonly engine: string | null;
  /** Null while the request is under way. */
  readonly outcome: AttemptOutcome | null;
  readonly status: number | null;
  /** Seconds from the receipt to the first output of a stream, and to the end. */
  readonly ttft: number | null;
  readonly duration: number | null;
  readonly prompt_tokens: number | null;
  readonly completion_tokens: number | null;
  readonly cached_tokens: number | null;
  readonly predicted_cached_tokens: number | null;
  readonly pieces: number | null;
  /** The worker that served it; absent in a router of one process. */
  readonly worker?: number;
}

/** What is kept of a place: no reference to the engine, which may leave. */
export function decidedPlace(ranked: Ranked): DecidedPlace {
  const place = { engine: ranked.candidate.engine.url, reason: wordsOf(ranked.reason) };
  const terms = termsOf(ranked);
  return terms ? { ...place, ...decidedTerms(terms) } : place;
}

/** What a plugin gives as a reason may be anything. */
const wordsOf = (reason: unknown): string =>
  typeof reason === 'string' ? reason.slice(0, LONGEST_REASON) : '';

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : NaN);

/** The same of its terms: what is no number is none, as JSON knows neither big integers nor symbols. */
function termsOf({ terms }: Ranked): CostTerms | null {
  if (typeof terms !== 'object' || terms === null) return null;
  const { uncached, pending, inFlight, slowness, cost } = terms;
  return {
    uncached: numberOf(uncached),
    pending: numberOf(pending),
    inFlight: numberOf(inFlight),
    slowness: numberOf(slowness),
    cost: numberOf(cost),
  };
}

function decidedTerms({ uncached, pending, inFlight, slowness, cost }: CostTerms) {
  return { uncached, pending, in_flight: inFlight, slowness, cost };
}

/** Whatever would end the header or one of its parts (RFC 9110 section 5.5). */
const UNSENDABLE = /[^\x20-\x3a\x3c-\x7e]/g;

/**
 * The value of the answer header that explains a choice: the place that was taken, and the one that would have
 * been next.
 * @param attempt 1 for the request's first one
 */
export function explanation(taken: Ranked, ranking: Ranking, attempt: number): string {
  const runnerUp = ranking[ranking.indexOf(taken) + 1];
  const parts: [name: string, value: string | number][] = [
    ['engine', taken.candidate.engine.url],
    ['attempt', attempt],
    ['reason', wordsOf(taken.reason)],
  ];
  const terms = termsOf(taken);
  if (terms) {
    parts.push(['uncached', shown(terms.uncached)], ['pending', shown(terms.pending)]);
    parts.push(['in-flight', shown(terms.inFlight)], ['slowness', shown(terms.slowness)]);
    parts.push(['cost', shown(terms.cost)]);
  }
  if (runnerUp !== undefined) {
    parts.push(['runner-up', runnerUp.candidate.engine.url]);
    const others = termsOf(runnerUp);
    if (terms && others) parts.push(['margin', shown(others.cost - terms.cost)]);
  }
  return parts.map(([name, value]) => `${name}=${String(value).replace(UNSENDABLE, ' ')}`).join('; ');
}

/** Three decimals at most: a header is read by people. */
const shown = (value: number): number => Math.round(value * 1_000) / 1_000;
