import { type DynamicModule, Module } from '@nestjs/common';
import { Tracing } from './tracing.service.js';

/** Spans of requests. Needs `RouterRun` and `RouterMetrics` from `imports`. */
@Module({})
export class TracingModule {
  static register(imports: readonly DynamicModule[]): DynamicModule {
    return { module: TracingModule, imports: [...imports], providers: [Tracing], exports: [Tracing] };
  }
}
