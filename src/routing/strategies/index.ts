import type { StrategyClass } from '../routing-strategy.js';
import { LeastLoadStrategy } from './least-load.strategy.js';
import { PowerOfTwoStrategy } from './power-of-two.strategy.js';
import { PrefixAwareStrategy } from './prefix-aware.strategy.js';
import { RandomStrategy } from './random.strategy.js';
import { RoundRobinStrategy } from './round-robin.strategy.js';
import { SessionStrategy } from './session.strategy.js';

/**
 * Every routing strategy. To add one: a class in a file of its own beside these that extends
 * `RoutingStrategy` and has a static `strategyName`, and one line here. Its name is then a value of
 * `--routing-logic`, and the contract suite runs on it.
 */
export const ROUTING_STRATEGIES = [
  RoundRobinStrategy,
  SessionStrategy,
  PrefixAwareStrategy,
  LeastLoadStrategy,
  PowerOfTwoStrategy,
  RandomStrategy,
] as const satisfies readonly StrategyClass[];
