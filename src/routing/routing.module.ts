import { type DynamicModule, Module } from '@nestjs/common';
import type { StrategyClass } from './routing-strategy.js';
import { RoutingService } from './routing.service.js';
import { ROUTING_STRATEGIES } from './strategies/index.js';
import { StrategyRegistry } from './strategy-registry.js';

/** Ranks the engines for each request. Needs `SettingsStore` from a global module. */
@Module({})
export class RoutingModule {
  /**
   * @param more strategies of plugins, beside the built-in ones
   * @throws {Error} when one of them is no strategy or takes a name that is taken
   */
  static register(more: readonly StrategyClass[] = []): DynamicModule {
    return {
      module: RoutingModule,
      providers: [
        { provide: StrategyRegistry, useValue: new StrategyRegistry([...ROUTING_STRATEGIES, ...more]) },
        RoutingService,
      ],
      exports: [StrategyRegistry, RoutingService],
    };
  }
}
