import { type DynamicModule, Module } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import type { LoadedSettings } from '../config/load-settings.js';
import type { Reconfigurable } from '../config/reconfigurable.js';
import { SettingsModule } from '../config/settings.module.js';
import { LiveReader } from '../dashboard/live-reader.js';
import { LiveSource } from '../dashboard/live-source.js';
import { RouterFigures } from '../dashboard/router-figures.js';
import { DiscoveryModule } from '../discovery/discovery.module.js';
import { FleetService } from '../discovery/fleet.service.js';
import { DynamicConfigService, RECONFIGURABLES } from '../dynamic-config/dynamic-config.service.js';
import { FileWatchService } from '../dynamic-config/file-watch.service.js';
import { ReloadListener } from '../dynamic-config/reload-listener.js';
import { HealthProbe } from '../health/health-probe.js';
import { HealthService } from '../health/health.service.js';
import { MetricsReloadListener } from '../metrics/metrics-reload-listener.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { OperatorActions } from '../operations/operator-actions.js';
import { WorkersReport } from '../operations/workers-report.js';
import type { Extensions } from '../plugins.js';
import { SecurityModule } from '../security/security.module.js';
import { EngineStatsScraper } from '../stats/engine-stats.scraper.js';
import { StatsLogService } from '../stats/stats-log.service.js';
import { StatsModule } from '../stats/stats.module.js';
import { Primary } from './primary.js';
import { PrimaryAnswers } from './primary-answers.js';
import { PrimaryState } from './primary-state.js';
import { WholeFigures } from './whole-figures.js';
import { WholeDecisions } from './whole-decisions.js';
import { WholeMetrics } from './whole-metrics.js';
import { WholeStatsLog } from './whole-stats-log.js';
import { WorkerPool } from './worker-pool.js';
import { WorkersReload } from './workers-reload.js';

/** The process that starts the workers: it finds engines, reads their metrics, follows the dynamic file, and serves nobody. */
@Module({})
export class PrimaryModule {
  static register(loaded: LoadedSettings, { discoveries }: Extensions): DynamicModule {
    return {
      module: PrimaryModule,
      imports: [
        SettingsModule.register(loaded),
        ScheduleModule.forRoot(),
        SecurityModule,
        DiscoveryModule.register(discoveries),
        StatsModule,
      ],
      providers: [
        RouterMetrics,
        MetricsReloadListener,
        { provide: ReloadListener, useExisting: MetricsReloadListener },
        HealthService,
        HealthProbe,
        WorkerPool,
        PrimaryState,
        WorkersReload,
        WholeMetrics,
        WholeDecisions,
        { provide: RouterFigures, useClass: WholeFigures },
        { provide: LiveSource, useClass: LiveReader },
        {
          provide: WorkersReport,
          useFactory: (pool: WorkerPool): WorkersReport => ({
            get workers() {
              return pool.counts;
            },
          }),
          inject: [WorkerPool],
        },
        OperatorActions,
        PrimaryAnswers,
        { provide: StatsLogService, useClass: WholeStatsLog },
        {
          provide: RECONFIGURABLES,
          useFactory: (...parts: Reconfigurable[]) => parts,
          inject: [WorkersReload, FleetService, EngineStatsScraper, StatsLogService],
        },
        FileWatchService,
        DynamicConfigService,
        Primary,
      ],
    };
  }
}
