import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { DecisionLog } from './decision-log.js';
import { Decisions } from './decisions.service.js';
import { RouterRun } from './router-run.js';

/** What was decided for each request, and how it went. Needs `RouterMetrics` from one of `imports`. */
@Module({})
export class DecisionsModule {
  /** @param parts providers that take the place of its own */
  static register(imports: readonly DynamicModule[], parts: readonly Provider[] = []): DynamicModule {
    return {
      module: DecisionsModule,
      imports: [...imports],
      providers: [
        { provide: RouterRun, useFactory: () => new RouterRun() },
        DecisionLog,
        Decisions,
        ...parts,
      ],
      exports: [RouterRun, DecisionLog, Decisions],
    };
  }
}
