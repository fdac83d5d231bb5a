import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { isAsleep } from './core/prometheus-text.js';
import { LoadedSettings } from './config/load-settings.js';
import { routerVersion } from './config/version.js';
import { DynamicConfigService } from './dynamic-config/dynamic-config.service.js';
import { FleetService } from './discovery/fleet.service.js';
import { HealthProbe } from './health/health-probe.js';
import { HealthService } from './health/health.service.js';
import { RouterMetrics } from './metrics/router-metrics.js';
import { StatsLogService } from './stats/stats-log.service.js';
import { AdmissionService } from './proxy/admission/admission.service.js';
import { BodyMemory } from './proxy/body-memory.js';
import { RealtimeGateway } from './proxy/realtime.gateway.js';
import { RoutingService } from './routing/routing.service.js';
import { EngineStatsScraper } from './stats/engine-stats.scraper.js';

/** Joins the parts once all of them exist: gauges to what they read, loops to their start. */
@Injectable()
export class RouterWiring implements OnApplicationBootstrap {
  readonly #log = new Logger('vllm-router');

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly loaded: LoadedSettings,
    private readonly fleet: FleetService,
    private readonly metrics: RouterMetrics,
    private readonly health: HealthService,
    private readonly probe: HealthProbe,
    private readonly bodies: BodyMemory,
    private readonly realtime: RealtimeGateway,
    private readonly scraper: EngineStatsScraper,
    private readonly statsLog: StatsLogService,
    private readonly dynamicConfig: DynamicConfigService,
    private readonly routing: RoutingService,
    private readonly admission: AdmissionService,
  ) {}

  onApplicationBootstrap(): void {
    for (const warning of this.loaded.warnings) this.#log.warn(warning);
    this.metrics.bindGauges({
      version: routerVersion(),
      bodyMemory: () => this.bodies.held,
      discoveryUp: () => ['starting', 'synced'].includes(this.fleet.status.state),
      state: ({ id }) => this.health.state(id, performance.now()),
      strategy: () => this.routing.figures(),
    });
    this.metrics.bindGates(() => this.admission.figures());
    const server = this.host.httpAdapter?.getHttpServer();
    if (server) this.realtime.attach(server);
    // The file as it stood at start counts like any later version of it.
    const { applied, lastError } = this.dynamicConfig.state;
    if (lastError !== null) this.metrics.reloaded('rejected');
    else if (applied !== null) this.metrics.reloaded('applied');
    this.scraper.onStats = (engineId) => this.#heedStats(engineId);
    for (const { id } of this.fleet.current.engines) if (this.scraper.statsOf(id)) this.#heedStats(id);
    this.scraper.start();
    this.probe.start();
    this.statsLog.start();
  }

  /** What an engine tells of itself is heard by the strategy, and whether it sleeps by the health. */
  #heedStats(engineId: string): void {
    const engine = this.fleet.current.byId(engineId);
    if (!engine) return;
    const [stats, now] = [this.scraper.statsOf(engineId), performance.now()];
    this.health.slept(engineId, isAsleep(stats), now);
    this.routing.heedStats(engine, stats, now);
  }
}
