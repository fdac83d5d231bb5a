import { CacheAwarePolicy, type CacheAwareRules } from './cache-aware.policy.js';

/** `cache_aware` of SMG with the defaults of its library, which spill earlier than those of its flags. */
export class SmgLibraryPolicy extends CacheAwarePolicy {
  static readonly strategyName = 'smg-library';

  override readonly rules: CacheAwareRules = {
    ...{ threshold: 0.5, absolute: 32, relative: 1.1, gate: 'matched', unmatched: 'smallest-tree' },
  };
}
