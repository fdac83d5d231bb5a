import { TokenCostPolicy, type TokenLoad } from './token-cost.policy.js';

/**
 * The KV router of NVIDIA Dynamo with its defaults: blocks to prefill and blocks that are active, both with
 * weight 1. Here in tokens, without the growth of answers.
 */
export class DynamoPolicy extends TokenCostPolicy {
  static readonly strategyName = 'dynamo';

  override cost({ pending, uncached, context }: TokenLoad): number {
    return pending + uncached + context;
  }
}
