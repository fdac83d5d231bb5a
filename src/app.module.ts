import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import type { LoadedSettings } from './config/load-settings.js';
import { RouterErrorFilter } from './proxy/router-error.filter.js';
import { RouterModule } from './router.module.js';
import type { Extensions } from './plugins.js';

/** Our own application: the router alone, with its error answers for every route. */
@Module({})
export class AppModule {
  static register(loaded: LoadedSettings, { strategies, discoveries }: Extensions): DynamicModule {
    return {
      module: AppModule,
      imports: [RouterModule.withSettings(loaded, strategies, discoveries)],
      providers: [{ provide: APP_FILTER, useClass: RouterErrorFilter }],
    };
  }
}
