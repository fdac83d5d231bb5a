import { CacheAwarePolicy, type CacheAwareRules } from './cache-aware.policy.js';

/** `cache_aware` of sglang-router 0.3 and of vLLM's Rust router, with the defaults of their flags. */
export class SglangPolicy extends CacheAwarePolicy {
  static readonly strategyName = 'sglang';

  override readonly rules: CacheAwareRules = {
    ...{ threshold: 0.3, absolute: 64, relative: 1.5, gate: 'fleet', unmatched: 'least-load' },
  };
}
