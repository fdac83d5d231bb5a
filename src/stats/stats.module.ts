import { Module } from '@nestjs/common';
import { EngineStatsScraper } from './engine-stats.scraper.js';
import { LifetimeSeries } from './lifetime-series.js';
import { RequestStatsService } from './request-stats.service.js';
import { StatsClock } from './stats-clock.js';

/**
 * What is known of requests and engines, in numbers. Needs `SettingsStore` and Nest's `ScheduleModule`.
 * Whoever wires it tells `RequestStatsService` and `EngineStatsScraper` of each fleet (`retain`), of each
 * attempt (`observe`), and starts the scraper.
 */
@Module({
  providers: [StatsClock, LifetimeSeries, EngineStatsScraper, RequestStatsService],
  exports: [StatsClock, LifetimeSeries, EngineStatsScraper, RequestStatsService],
})
export class StatsModule {}
