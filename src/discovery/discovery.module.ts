import { type DynamicModule, Module } from '@nestjs/common';
import type { DiscoveryProvider } from './discovery-provider.js';
import { DiscoveryRegistry } from './discovery-registry.js';
import { FleetService } from './fleet.service.js';
import { ModelProber } from './model-prober.js';
import { DISCOVERY_PROVIDERS } from './providers/index.js';
import { SystemTimers, Timers } from './timers.js';

/** Finds the engines and their models. Needs `SettingsStore` from a global module. */
@Module({})
export class DiscoveryModule {
  /**
   * @param more discovery providers of plugins, beside the built-in ones
   * @throws {Error} when one of them is no discovery or takes a name that is taken
   */
  static register(more: readonly DiscoveryProvider[] = []): DynamicModule {
    return {
      module: DiscoveryModule,
      providers: [
        { provide: DiscoveryRegistry, useValue: new DiscoveryRegistry([...DISCOVERY_PROVIDERS, ...more]) },
        { provide: Timers, useClass: SystemTimers },
        ModelProber,
        FleetService,
      ],
      exports: [DiscoveryRegistry, FleetService],
    };
  }
}
