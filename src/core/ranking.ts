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

/** One place of a ranking: the candidate and why it stands there, for logs and debugging. */
export interface Ranked {
  readonly candidate: Candidate;
  readonly reason: string;
}

/** All candidates, in the order in which to try them. */
export type Ranking = readonly Ranked[];

/**
 * Returns `ranking` itself when it ranks every candidate exactly once; else a copy without what was
 * invented or doubled, with what was left out at its end, in the order of `candidates`.
 */
export function completeRanking(ranking: Ranking, candidates: readonly Candidate[]): Ranking {
  const missing = new Set(candidates);
  const kept: Ranked[] = [];
  const given = Array.isArray(ranking) ? (ranking as Ranking) : [];
  for (const ranked of given) {
    if (missing.delete(ranked?.candidate)) kept.push(ranked);
  }
  if (missing.size === 0 && kept.length === given.length && given === ranking) return ranking;
  for (const candidate of missing) kept.push({ candidate, reason: 'not ranked' });
  return kept;
}
