import { type DynamicModule, Module } from '@nestjs/common';
import { HealthProbe } from './health-probe.js';
import { HealthService } from './health.service.js';

/** Which engines may be sent to now. Needs `SettingsStore` and Nest's `ScheduleModule`. */
@Module({ providers: [HealthService, HealthProbe], exports: [HealthService, HealthProbe] })
export class HealthModule {
  /** @param metrics brings `RouterMetrics` and `RequestStatsService` */
  static register(metrics: DynamicModule): DynamicModule {
    return { module: HealthModule, imports: [metrics] };
  }
}
