import { Module } from '@nestjs/common';
import { DrainService } from './drain.service.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';

/** What an operator asks the router: health, readiness, version, metrics; and its way down. */
@Module({
  controllers: [HealthController, MetricsController],
  providers: [DrainService],
  exports: [DrainService],
})
export class OperationsModule {}
