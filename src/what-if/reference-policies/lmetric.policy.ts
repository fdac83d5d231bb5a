import { TokenCostPolicy, type TokenLoad } from './token-cost.policy.js';

/** LMetric (arXiv 2603.15202): tokens to prefill, times the size of the batch. */
export class LmetricPolicy extends TokenCostPolicy {
  static readonly strategyName = 'lmetric';

  override cost({ pending, uncached, inFlight }: TokenLoad): number {
    return (pending + uncached) * (1 + inFlight);
  }
}
