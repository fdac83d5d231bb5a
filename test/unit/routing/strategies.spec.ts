import type { Settings } from '../../../src/config/settings.schema.js';
import type { StrategyClass } from '../../../src/routing/routing-strategy.js';
import { ROUTING_STRATEGIES } from '../../../src/routing/strategies/index.js';
import { itKeepsTheStrategyContract } from '../../support/strategy.contract.js';

const settings = {
  ...{ routingLogic: 'roundrobin', sessionKey: 'x-user-id', sessionLoadFactor: 1.25 },
  ...{ prefixIndexMemory: 1024 * 1024, ttftTarget: null, tpotTarget: 0.05 },
} as Settings;

describe.each(
  ROUTING_STRATEGIES.map((strategy): [string, StrategyClass] => [strategy.strategyName, strategy]),
)('routing strategy %s', (_name, strategy) => itKeepsTheStrategyContract(strategy, settings));
