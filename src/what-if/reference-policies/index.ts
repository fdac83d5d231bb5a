import type { StrategyClass } from '../../routing/routing-strategy.js';
import { DynamoPolicy } from './dynamo.policy.js';
import { LeastPrefillPolicy } from './least-prefill.policy.js';
import { LlmDPolicy } from './llm-d.policy.js';
import { LmetricPolicy } from './lmetric.policy.js';
import { ProductionStackPolicy } from './production-stack.policy.js';
import { SglangPolicy } from './sglang.policy.js';
import { SmgLibraryPolicy } from './smg-library.policy.js';
import { SmgPolicy } from './smg.policy.js';

/** A rule of another router, to be compared with; it serves in simulations alone. */
export type ReferencePolicy = StrategyClass & {
  /** How often it looks at the engines' metrics, seconds; the router's own default without. */
  readonly scrapeSeconds?: number;
};

/** The rules of other routers, in the words of their documents and with their defaults. */
export const REFERENCE_POLICIES: readonly ReferencePolicy[] = [
  ProductionStackPolicy,
  SglangPolicy,
  SmgPolicy,
  SmgLibraryPolicy,
  LlmDPolicy,
  DynamoPolicy,
  LmetricPolicy,
  LeastPrefillPolicy,
];
