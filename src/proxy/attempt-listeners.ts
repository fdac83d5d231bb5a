import { Injectable } from '@nestjs/common';
import type { AttemptEvent } from '../core/attempt-event.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { RoutingService } from '../routing/routing.service.js';
import { RequestStatsService } from '../stats/request-stats.service.js';
import { AdmissionService } from './admission/admission.service.js';
import { Hedging } from './hedging.js';

/** Passes each attempt event on to those who listen. They are not on the request's path: none can fail it. */
@Injectable()
export class AttemptListeners {
  constructor(
    private readonly stats: RequestStatsService,
    private readonly metrics: RouterMetrics,
    private readonly routing: RoutingService,
    private readonly admission: AdmissionService,
    private readonly hedging: Hedging,
  ) {}

  observe(event: AttemptEvent): void {
    this.stats.observe(event);
    this.metrics.observe(event);
    this.routing.observe(event);
    this.admission.observe(event);
    if (event.type === 'firstToken' && this.hedging.on) this.hedging.heed(event);
  }
}
