import { type DynamicModule, Global, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { LiveSource } from '../dashboard/live-source.js';
import { Decisions } from '../decisions/decisions.service.js';
import { RouterRun } from '../decisions/router-run.js';
import { FleetService } from '../discovery/fleet.service.js';
import { DynamicConfigService } from '../dynamic-config/dynamic-config.service.js';
import { HealthProbe } from '../health/health-probe.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { OperatorActions } from '../operations/operator-actions.js';
import { WorkersReport } from '../operations/workers-report.js';
import type { Extensions } from '../plugins.js';
import { BodyMemory } from '../proxy/body-memory.js';
import { RouterErrorFilter } from '../proxy/router-error.filter.js';
import { StallWatch } from '../proxy/stall-watch.js';
import { RouterModule, type RouterParts } from '../router.module.js';
import { EngineStatsScraper } from '../stats/engine-stats.scraper.js';
import { StatsLogService } from '../stats/stats-log.service.js';
import { NewsDraft } from './news-draft.js';
import { PrimaryLink } from './primary-link.js';
import { RelayedActions } from './relayed-actions.js';
import { RelayedConfig } from './relayed-config.js';
import { RelayedFleet } from './relayed-fleet.js';
import { RelayedLive } from './relayed-live.js';
import { RelayedScraper } from './relayed-scraper.js';
import { SharedBodyMemory } from './shared-body-memory.js';
import { SharedStallWatch } from './shared-stall-watch.js';
import { SilentHealthProbe } from './silent-health-probe.js';
import { SilentStatsLog } from './silent-stats-log.js';
import { WorkerDecisions } from './worker-decisions.js';
import { WorkerMetrics } from './worker-metrics.js';
import { WorkerShare } from './worker-share.js';

/** What a worker has in place of the parts of a router of one process, or beside them. */
const PARTS: RouterParts = {
  discovery: [{ provide: FleetService, useClass: RelayedFleet }],
  stats: [{ provide: EngineStatsScraper, useClass: RelayedScraper }],
  metrics: [
    { provide: RouterMetrics, useClass: WorkerMetrics },
    { provide: StatsLogService, useClass: SilentStatsLog },
  ],
  decisions: [
    {
      provide: RouterRun,
      useFactory: ({ beginning: { key, number } }: PrimaryLink) => new RouterRun(key, number),
      inject: [PrimaryLink],
    },
    { provide: Decisions, useClass: WorkerDecisions },
  ],
  dynamicConfig: [{ provide: DynamicConfigService, useClass: RelayedConfig }],
  health: [{ provide: HealthProbe, useClass: SilentHealthProbe }],
  proxy: [
    { provide: BodyMemory, useClass: SharedBodyMemory },
    { provide: StallWatch, useClass: SharedStallWatch },
  ],
  operations: [{ provide: OperatorActions, useClass: RelayedActions }],
  dashboard: [{ provide: LiveSource, useClass: RelayedLive }],
  router: [WorkerShare],
};

/** The line to the primary, for all parts. */
@Global()
@Module({})
class LinkModule {
  static register(link: PrimaryLink): DynamicModule {
    return {
      module: LinkModule,
      providers: [
        { provide: PrimaryLink, useValue: link },
        { provide: WorkersReport, useValue: link },
        NewsDraft,
      ],
      exports: [PrimaryLink, WorkersReport, NewsDraft],
    };
  }
}

/** The application of one worker: the whole router, with what the primary does for all taken from it. */
@Module({})
export class WorkerModule {
  static register(link: PrimaryLink, { strategies, discoveries }: Extensions): DynamicModule {
    const { loaded } = link.beginning;
    return {
      module: WorkerModule,
      imports: [LinkModule.register(link), RouterModule.withSettings(loaded, strategies, discoveries, PARTS)],
      providers: [{ provide: APP_FILTER, useClass: RouterErrorFilter }],
    };
  }
}
