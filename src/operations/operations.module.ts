import { Module } from '@nestjs/common';
import { ActionsController } from './actions.controller.js';
import { AdminServer } from './admin-server.js';
import { DecisionsController } from './decisions.controller.js';
import { DrainService } from './drain.service.js';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { OperatorActions } from './operator-actions.js';

/** What an operator asks the router: health, readiness, version, metrics; what he tells it to do; and its way down. */
@Module({
  controllers: [HealthController, MetricsController, DecisionsController, ActionsController],
  providers: [AdminServer, DrainService, OperatorActions],
  exports: [AdminServer, DrainService],
})
export class OperationsModule {}
