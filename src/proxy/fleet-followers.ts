import { Injectable } from '@nestjs/common';
import { FleetService } from '../discovery/fleet.service.js';
import { HealthService } from '../health/health.service.js';
import { RoutingService } from '../routing/routing.service.js';
import { EngineStatsScraper } from '../stats/engine-stats.scraper.js';
import { RequestStatsService } from '../stats/request-stats.service.js';
import { UpstreamClients } from '../upstream/upstream-clients.service.js';
import { CandidatesService } from './candidates.service.js';
import { StallWatch } from './stall-watch.js';

/** Tells everything that keeps state per engine which engines there are, so that nothing outlives its engine. */
@Injectable()
export class FleetFollowers {
  constructor(
    fleet: FleetService,
    stats: RequestStatsService,
    scraper: EngineStatsScraper,
    upstreams: UpstreamClients,
    health: HealthService,
    candidates: CandidatesService,
    routing: RoutingService,
    stalls: StallWatch,
  ) {
    fleet.onChange((next, previous) => {
      stats.retain(next);
      scraper.retain(next);
      upstreams.retain(next);
      health.retain(next);
      candidates.follow(next, previous);
      routing.retain(next.engines);
      stalls.retain(next);
    });
  }
}
