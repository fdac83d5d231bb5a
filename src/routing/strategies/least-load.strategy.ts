import { byUrl } from '../../core/fleet.js';
import type { Candidate, Ranking } from '../../core/ranking.js';
import type { RequestFacts } from '../../core/request-facts.js';
import { RoutingStrategy } from '../routing-strategy.js';

/** The engine with the fewest requests in flight first, then the lowest rate, then by URL. */
export class LeastLoadStrategy extends RoutingStrategy {
  static readonly strategyName = 'leastload';
  static readonly aliases = ['loadaware'] as const;

  override readonly ranksBySignals = true;

  override rank(_request: RequestFacts, candidates: readonly Candidate[]): Ranking {
    return rankByLoad(candidates);
  }
}

/** The ranking of `LeastLoadStrategy`, for strategies that have nothing better to go by. */
export function rankByLoad(candidates: readonly Candidate[]): Ranking {
  // Signals are live: each is read once, so that the order cannot change while it is being made.
  const loads = candidates.map((candidate) => ({
    candidate,
    inFlight: known(candidate.signals.inFlight),
    qps: known(candidate.signals.qps),
  }));
  loads.sort(
    (a, b) =>
      compare(a.inFlight, b.inFlight) ||
      compare(a.qps, b.qps) ||
      byUrl(a.candidate.engine, b.candidate.engine),
  );
  return loads.map(({ candidate, inFlight }) => ({ candidate, reason: `${inFlight} in flight` }));
}

function known(value: number): number {
  return Number.isFinite(value) ? value : Infinity;
}

function compare(a: number, b: number): number {
  return a < b ? -1 : Number(a > b);
}
