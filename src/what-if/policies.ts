import type { StrategyClass } from '../routing/routing-strategy.js';
import { ROUTING_STRATEGIES } from '../routing/strategies/index.js';
import { KnownSlownessPolicy } from './reference-policies/known-slowness.policy.js';
import { REFERENCE_POLICIES, type ReferencePolicy } from './reference-policies/index.js';

/** Every policy that can be simulated: the strategies that serve, then the rules of other routers. */
export const POLICIES: readonly ReferencePolicy[] = [
  ...(ROUTING_STRATEGIES as readonly StrategyClass[]),
  ...REFERENCE_POLICIES,
];

/** Names for `--policies`, without aliases. */
export const POLICY_NAMES: readonly string[] = POLICIES.map(({ strategyName }) => strategyName);

/** What knows more than a router can, to measure by; not among those that are compared. */
const ORACLES: readonly ReferencePolicy[] = [KnownSlownessPolicy];

/** @throws RangeError when there is no such policy */
export function policyNamed(name: string): ReferencePolicy {
  const found =
    [...POLICIES, ...ORACLES].find(({ strategyName }) => strategyName === name) ??
    POLICIES.find(({ aliases }) => aliases?.includes(name));
  if (!found) throw new RangeError(`there is no policy ${name}; there are ${POLICY_NAMES.join(', ')}`);
  return found;
}
