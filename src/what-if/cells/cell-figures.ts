import type { VirtualRun } from '../../simulator/virtual/simulate.js';
import type { VirtualResult } from '../../simulator/virtual/virtual-request.js';
import { type Cell, type CellFigures, endOf, type Quantiles, type Targets } from './cell.js';

/** Reckons the figures of a run. */
export function figuresOf(cell: Cell, run: VirtualRun): CellFigures {
  const { warmUp, seconds, targets } = cell;
  const end = endOf(cell);
  const measured = run.results.filter(
    ({ request: { arrival } }) => arrival >= warmUp && arrival < warmUp + seconds,
  );
  const judged = measured.map((result) => pace(result, end));
  const finished = measured.filter(({ outcome }) => outcome === 'finished');
  const sum = (of: (result: VirtualResult) => number): number =>
    finished.reduce((total, result) => total + of(result), 0);
  const prompts = sum(({ request }) => request.spec.promptTokens.length);
  return {
    requests: measured.length,
    goodput: measured.length === 0 ? 0 : judged.filter((one) => keeps(one, targets)).length / measured.length,
    ttft: quantilesOf(judged.map(({ ttft }) => ttft)),
    tpot: quantilesOf(judged.map(({ tpot }) => tpot).filter(Number.isFinite)),
    hitRate: prompts === 0 ? 0 : sum(({ cachedTokens }) => cachedTokens) / prompts,
    imbalance: imbalanceOf(run),
    unfinished: measured.filter(({ outcome }) => outcome === 'unfinished').length,
    failed: measured.filter(({ outcome }) => outcome !== 'finished' && outcome !== 'unfinished').length,
  };
}

interface Pace {
  readonly ttft: number;
  /** NaN before the second token. */
  readonly tpot: number;
  readonly answered: boolean;
}

/** A request that has its first token when the run ends is judged by its pace so far. */
function pace({ request, outcome, firstToken, end, tokens }: VirtualResult, over: number): Pace {
  if (firstToken === null) return { ttft: over - request.arrival, tpot: NaN, answered: false };
  return {
    ttft: firstToken - request.arrival,
    tpot: tokens > 1 ? (end - firstToken) / (tokens - 1) : NaN,
    answered: outcome === 'finished' || outcome === 'unfinished',
  };
}

function keeps({ ttft, tpot, answered }: Pace, targets: Targets): boolean {
  return answered && ttft <= targets.ttft && !(tpot > targets.tpot);
}

/** By nearest rank. */
export function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
  const mean = sorted.reduce((total, value) => total + value, 0) / sorted.length;
  return { mean, p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

function imbalanceOf({ engines }: VirtualRun): number {
  const computed = engines.map(({ model: { counters } }) => {
    return counters.prefixQueries - counters.prefixHits + counters.generationTokens;
  });
  const total = computed.reduce((sum, tokens) => sum + tokens, 0);
  return total === 0 ? 1 : (Math.max(...computed) * computed.length) / total;
}
