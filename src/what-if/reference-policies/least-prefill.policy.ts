import { TokenCostPolicy, type TokenLoad } from './token-cost.policy.js';

/** LPWL of agentic-kvc: the least prefill work left, then the fewest requests. */
export class LeastPrefillPolicy extends TokenCostPolicy {
  static readonly strategyName = 'lpwl';

  override cost({ pending, uncached, inFlight }: TokenLoad): number {
    return pending + uncached + inFlight / 1e6;
  }
}
