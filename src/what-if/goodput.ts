import type { VirtualResult } from '../simulator/virtual/virtual-request.js';
import type { Targets } from './targets.js';

/** Seconds from the begin of a run: from `from` on, before `to`. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** The requests that arrived in a period: what came before it only warmed the engines up. */
export function arrivedIn(results: readonly VirtualResult[], { from, to }: Period): VirtualResult[] {
  return results.filter(({ request: { arrival } }) => arrival >= from && arrival < to);
}

/** Seconds from arrival to first token; null when none came. */
export function ttftOf({ request, firstToken }: VirtualResult): number | null {
  return firstToken === null ? null : firstToken - request.arrival;
}

/**
 * Seconds for each token after the first one; null for answers of one token. Of an answer that was under way when the
 * run was over, for those that had come.
 */
export function tpotOf({ firstToken, end, tokens }: VirtualResult): number | null {
  if (firstToken === null || tokens < 2) return null;
  return (end - firstToken) / (tokens - 1);
}

/**
 * Whether a request was answered within both targets. One that was being answered when the run was over is judged by
 * its pace so far: to miss it for its length alone would tell against long answers.
 */
export function meets(result: VirtualResult, targets: Targets): boolean {
  const { outcome } = result;
  const ttft = ttftOf(result);
  if (ttft === null || (outcome !== 'finished' && outcome !== 'unfinished')) return false;
  return ttft <= targets.ttft && (tpotOf(result) ?? 0) <= targets.tpot;
}

/**
 * The share of all these requests that met the targets, 0 to 1; those that were refused or still wait did not. NaN
 * without requests.
 */
export function goodputOf(results: readonly VirtualResult[], targets: Targets): number {
  return results.filter((result) => meets(result, targets)).length / results.length;
}
