import type { VirtualRun } from '../simulator/virtual/simulate.js';
import { type Spread, spreadOf } from '../simulator/virtual/summary.js';
import type { VirtualResult } from '../simulator/virtual/virtual-request.js';
import { arrivedIn, goodputOf, type Period, tpotOf, ttftOf } from './goodput.js';
import { imbalanceOf } from './imbalance.js';
import type { Targets } from './targets.js';

/** What one run says of a policy. */
export interface RunFigures {
  /** Requests that arrived in the period. */
  readonly requests: number;
  /** 0 to 1. */
  readonly goodput: number;
  /** Requests that were refused or turned away, and those without an end when the run was over. */
  readonly refused: number;
  readonly unfinished: number;
  /**
   * Seconds. Requests that still waited when the run was over count with the time they had waited by then, so
   * that a policy does not look better for those that it never served.
   */
  readonly ttft: Spread;
  /** Seconds for each token after the first one, by request. */
  readonly tpot: Spread;
  /** Share of the prompt tokens of requests with a first token that came from a prefix cache, 0 to 1. */
  readonly hitRate: number;
  /** Work of the busiest engine over the mean, 1 to the number of engines. */
  readonly imbalance: number;
  readonly preemptions: number;
}

/** @param period of arrivals; it should end so long before the run that a request in time has its first token */
export function figuresOf(
  run: Pick<VirtualRun, 'results'>,
  engines: number,
  period: Period,
  targets: Targets,
): RunFigures {
  const results = arrivedIn(run.results, period);
  const begun = results.filter(({ firstToken }) => firstToken !== null);
  const sum = (of: (result: VirtualResult) => number): number =>
    begun.reduce((total, result) => total + of(result), 0);
  const ended = results.filter(({ outcome }) => outcome === 'finished').length;
  const unfinished = results.filter(({ outcome }) => outcome === 'unfinished').length;
  return {
    requests: results.length,
    goodput: goodputOf(results, targets),
    refused: results.length - ended - unfinished,
    unfinished,
    ttft: spreadOf(results.flatMap((result) => waitOf(result) ?? [])),
    tpot: spreadOf(results.flatMap((result) => tpotOf(result) ?? [])),
    hitRate: sum(({ cachedTokens }) => cachedTokens) / sum(({ request }) => request.spec.promptTokens.length),
    imbalance: imbalanceOf(results, engines),
    preemptions: results.reduce((total, { preemptions }) => total + preemptions, 0),
  };
}

function waitOf(result: VirtualResult): number | null {
  return result.outcome === 'unfinished' && result.firstToken === null
    ? result.end - result.request.arrival
    : ttftOf(result);
}
