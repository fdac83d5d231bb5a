import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { StatsModule } from '../stats/stats.module.js';
import { MetricsReloadListener } from './metrics-reload-listener.js';
import { RouterMetrics } from './router-metrics.js';
import { StatsLogService } from '../stats/stats-log.service.js';

/** Counts and writes what `/metrics` and the statistics in the log show. */
@Module({
  providers: [MetricsReloadListener, RouterMetrics, StatsLogService],
  exports: [MetricsReloadListener, RouterMetrics, StatsLogService],
})
export class MetricsModule {
  /** @param stats providers that take the place of those of `StatsModule`; `own`, of those of this one */
  static register(stats: readonly Provider[] = [], own: readonly Provider[] = []): DynamicModule {
    const statistics: DynamicModule = { module: StatsModule, providers: [...stats] };
    return { module: MetricsModule, imports: [statistics], providers: [...own], exports: [statistics] };
  }
}
