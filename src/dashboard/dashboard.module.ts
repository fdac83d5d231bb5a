import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { DashboardController } from './dashboard.controller.js';
import { LiveFeed } from './live-feed.js';
import { LiveReader } from './live-reader.js';
import { LiveSource } from './live-source.js';
import { ProcessFigures } from './process-figures.js';
import { RouterFigures } from './router-figures.js';

/** The live page. Needs `LoadedSettings` and `SettingsStore` from a global module, and Nest's `ScheduleModule`. */
@Module({})
export class DashboardModule {
  /** @param parts where the page's figures come from; left out: from this process */
  static register(
    imports: readonly DynamicModule[],
    parts: readonly Provider[] = [
      { provide: RouterFigures, useClass: ProcessFigures },
      { provide: LiveSource, useClass: LiveReader },
    ],
  ): DynamicModule {
    return {
      module: DashboardModule,
      imports: [...imports],
      controllers: [DashboardController],
      providers: [LiveFeed, ...parts],
    };
  }
}
