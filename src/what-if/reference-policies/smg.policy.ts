import { CacheAwarePolicy, type CacheAwareRules } from './cache-aware.policy.js';

/** `cache_aware` of SMG, with the defaults of its flags. */
export class SmgPolicy extends CacheAwarePolicy {
  static readonly strategyName = 'smg';

  override readonly rules: CacheAwareRules = {
    ...{ threshold: 0.3, absolute: 64, relative: 1.5, gate: 'matched', unmatched: 'least-load' },
  };
}
