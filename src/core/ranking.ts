import type { Engine } from './engine.js';

/** What the router knows of one engine now; a live view, cheap to read. */
export interface Signals {
  /**
   * Requests sent to the engine by this router and not finished; of its other processes on the port, as they
   * told at most 50 ms ago.
   */
  readonly inFlight: number;
  /** Requests per second sent to the engine over the statistics window. */
  readonly qps: number;
  /** `vllm:num_requests_waiting` of the last scrape; null before one succeeded. */
  readonly engineWaiting: number | null;
  /** `vllm:num_requests_running` of the last scrape; null before one succeeded. */
  readonly engineRunning: number | null;
}

/** An engine that serves the model and may be tried now. */
export interface Candidate {
  readonly engine: Engine;
  readonly signals: Signals;
}

/** What a place of a ranking was reckoned from, by strategies that go by cost. `uncached` and `pending` in tokens. */
export interface CostTerms {
  /** Prompt tokens of the request that the engine is believed to have to compute. */
  readonly uncached: number;
  /** Uncached prompt tokens that were sent to the engine and have not brought their first token. */
  readonly pending: number;
  /** Requests in flight. */
  readonly inFlight: number;
  /** How slow the engine is beside the others of the model: 1 is as the median. */
  readonly slowness: number;
  /** What follows from them, see `costOf`; the smaller the better. */
  readonly cost: number;
  /** Seconds in which the engine is expected to compute what is pending and the prompt; absent: its pace is not known. */
  readonly ttft?: number;
}

/** One place of a ranking: the candidate and why it stands there, for logs and debugging. */
export interface Ranked {
  readonly candidate: Candidate;
  readonly reason: string;
  readonly terms?: CostTerms;
}

/** All candidates, in the order in which to try them. */
export type Ranking = readonly Ranked[];

/** Up to this many candidates, comparing each with each is cheaper than a set. */
const FEW = 16;

/** Whether `ranking` ranks every candidate exactly once. */
function isComplete(ranking: Ranking, candidates: readonly Candidate[]): boolean {
  if (!Array.isArray(ranking) || ranking.length !== candidates.length) return false;
  if (candidates.length > FEW) {
    const left = new Set(candidates);
    for (const ranked of ranking as Ranking) if (!left.delete(ranked?.candidate)) return false;
    return left.size === 0;
  }
  let seen = 0;
  for (const ranked of ranking as Ranking) {
    const at = candidates.indexOf(ranked?.candidate);
    if (at < 0 || (seen & (1 << at)) !== 0) return false;
    seen |= 1 << at;
  }
  return true;
}

/**
 * Returns `ranking` itself when it ranks every candidate exactly once; else a copy without what was
 * invented or doubled, with what was left out at its end, in the order of `candidates`.
 */
export function completeRanking(ranking: Ranking, candidates: readonly Candidate[]): Ranking {
  if (isComplete(ranking, candidates)) return ranking;
  const missing = new Set(candidates);
  const kept: Ranked[] = [];
  const given = Array.isArray(ranking) ? (ranking as Ranking) : [];
  for (const ranked of given) {
    if (missing.delete(ranked?.candidate)) kept.push(ranked);
  }
  for (const candidate of missing) kept.push({ candidate, reason: 'not ranked' });
  return kept;
}
