import type { VirtualResult } from '../simulator/virtual/virtual-request.js';

/** Tokens that an engine computed for a request: prompt tokens that were not cached, and generated ones. */
function work({ firstToken, request, cachedTokens, tokens }: VirtualResult): number {
  return firstToken === null ? 0 : request.spec.promptTokens.length - cachedTokens + tokens;
}

/** Work of the busiest of `engines` engines over the mean, 1 to `engines`; NaN when there was none. */
export function imbalanceOf(results: readonly VirtualResult[], engines: number): number {
  const done = Array.from({ length: engines }, () => 0);
  for (const result of results) {
    if (result.engine !== null) done[result.engine] = (done[result.engine] ?? 0) + work(result);
  }
  return (Math.max(...done) * engines) / done.reduce((sum, one) => sum + one, 0);
}
