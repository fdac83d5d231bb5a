import { Module } from '@nestjs/common';
import { AdminServer } from './admin-server.js';
import { DecisionsController } from './decisions.controller.js';
import { DrainService } from './drain.service.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';

/** What an operator asks the router: health, readiness, version, metrics; and its way down. */
@Module({
  controllers: [HealthController, MetricsController, DecisionsController],
  providers: [AdminServer, DrainService],
  exports: [AdminServer, DrainService],
})
export class OperationsModule {}
