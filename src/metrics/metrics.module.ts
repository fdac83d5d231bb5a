import { Module } from '@nestjs/common';
import { StatsModule } from '../stats/stats.module.js';
import { MetricsReloadListener } from './metrics-reload-listener.js';
import { RouterMetrics } from './router-metrics.js';
import { StatsLogService } from '../stats/stats-log.service.js';

/** Counts and writes what `/metrics` and the statistics in the log show. */
@Module({
  imports: [StatsModule],
  providers: [MetricsReloadListener, RouterMetrics, StatsLogService],
  exports: [StatsModule, MetricsReloadListener, RouterMetrics, StatsLogService],
})
export class MetricsModule {}
