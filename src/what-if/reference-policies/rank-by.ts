import type { Candidate, Ranking } from '../../core/ranking.js';

/** The least score first; equal ones in an order of chance. */
export function rankBy(
  candidates: readonly Candidate[],
  random: () => number,
  score: (candidate: Candidate, index: number) => number,
): Ranking {
  const scored = candidates.map((candidate, index) => ({
    candidate,
    score: score(candidate, index),
    lot: random(),
  }));
  scored.sort((a, b) => a.score - b.score || a.lot - b.lot);
  return scored.map((one) => ({ candidate: one.candidate, reason: `score ${one.score}` }));
}

/** Names of the prompt's blocks of `size` tokens, where the simulation knows the tokens; else its own blocks. */
export function chunksOf(prompt: unknown, size: number): Float64Array {
  const source = prompt as { chunks?: (size: number) => Float64Array } | undefined;
  return source?.chunks?.(size) ?? new Float64Array(0);
}
