import { type DynamicModule, Module, type ModuleMetadata, type Type } from '@nestjs/common';
import type { Reconfigurable } from '../config/reconfigurable.js';
import { DynamicConfigService, RECONFIGURABLES } from './dynamic-config.service.js';
import { FileWatchService } from './file-watch.service.js';
import { ReloadListener } from './reload-listener.js';

export interface DynamicConfigOptions {
  /** The modules that export the parts and the listener. */
  readonly imports: NonNullable<ModuleMetadata['imports']>;
  /** The parts that follow the file; each is an injectable `Reconfigurable`. */
  readonly parts: readonly Type<Reconfigurable>[];
  readonly listener: Type<ReloadListener>;
}

/**
 * Follows `--dynamic-config-json` or `--dynamic-config-yaml`. Needs `LoadedSettings` and `SettingsStore`
 * from a global module, and Nest's `ScheduleModule`.
 */
@Module({})
export class DynamicConfigModule {
  static register({ imports, parts, listener }: DynamicConfigOptions): DynamicModule {
    return {
      module: DynamicConfigModule,
      imports: [...imports],
      providers: [
        {
          provide: RECONFIGURABLES,
          useFactory: (...all: Reconfigurable[]) => all,
          inject: [...parts],
        },
        { provide: ReloadListener, useExisting: listener },
        FileWatchService,
        DynamicConfigService,
      ],
      exports: [DynamicConfigService],
    };
  }
}
