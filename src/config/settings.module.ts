import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ConfigModule, registerAs } from '@nestjs/config';
import { LoadedSettings } from './load-settings.js';
import { SettingsStore } from './settings-store.js';

/** Name of the settings in Nest's `ConfigService`. */
const CONFIG_NAMESPACE = 'vllmRouter';

/** Registers the validated settings: what the process started with, and the store of those in force. */
@Global()
@Module({})
export class SettingsModule {
  static register(loaded: LoadedSettings): DynamicModule {
    return {
      module: SettingsModule,
      imports: [ConfigModule.forFeature(registerAs(CONFIG_NAMESPACE, () => loaded.settings))],
      providers: [
        { provide: LoadedSettings, useValue: loaded },
        { provide: SettingsStore, useValue: new SettingsStore(loaded.settings) },
      ],
      exports: [LoadedSettings, SettingsStore],
    };
  }
}
