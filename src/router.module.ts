import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import { ApiDocsModule } from './api-docs/api-docs.module.js';
import { loadSettings, LoadedSettings } from './config/load-settings.js';
import { readTextFileSync } from './config/read-text-file.js';
import { SettingsModule } from './config/settings.module.js';
import type { Settings } from './config/settings.schema.js';
import { DashboardModule } from './dashboard/dashboard.module.js';
import { DecisionsModule } from './decisions/decisions.module.js';
import { DiscoveryModule } from './discovery/discovery.module.js';
import type { DiscoveryProvider } from './discovery/discovery-provider.js';
import { FleetService } from './discovery/fleet.service.js';
import { DynamicConfigModule } from './dynamic-config/dynamic-config.module.js';
import { HealthModule } from './health/health.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { MetricsReloadListener } from './metrics/metrics-reload-listener.js';
import { OperationsModule } from './operations/operations.module.js';
import { SecurityModule } from './security/security.module.js';
import { StatsLogService } from './stats/stats-log.service.js';
import { settingsSources } from './plugins.js';
import { ProxyModule } from './proxy/proxy.module.js';
import { RoutingModule } from './routing/routing.module.js';
import { RoutingService } from './routing/routing.service.js';
import type { StrategyClass } from './routing/routing-strategy.js';
import { RouterWiring } from './router-wiring.js';
import { EngineStatsScraper } from './stats/engine-stats.scraper.js';
import { TracingModule } from './tracing/tracing.module.js';

/** What a host application gives to mount the router. */
export interface RouterModuleOptions {
  /** Settings by their names in the documentation (`staticBackends`, …); the others keep their defaults. */
  readonly settings: Readonly<Partial<Settings>>;
  /** Strategies beside the built-in ones; their names become values of `routingLogic`. */
  readonly strategies?: readonly StrategyClass[];
  /** Discoveries beside the built-in ones; their names become values of `serviceDiscovery`. */
  readonly discoveries?: readonly DiscoveryProvider[];
}

/** Providers that take the place of a module's own, or stand beside them: the workers of one port have some. */
export interface RouterParts {
  readonly discovery?: readonly Provider[];
  readonly stats?: readonly Provider[];
  readonly metrics?: readonly Provider[];
  readonly dynamicConfig?: readonly Provider[];
  readonly decisions?: readonly Provider[];
  readonly dashboard?: readonly Provider[];
  readonly operations?: readonly Provider[];
  readonly health?: readonly Provider[];
  readonly proxy?: readonly Provider[];
  readonly router?: readonly Provider[];
}

/** The parts that follow the dynamic file. */
const RELOADED = [FleetService, RoutingService, EngineStatsScraper, StatsLogService] as const;

/** The whole router as one Nest module, for an application on Fastify. */
@Module({})
export class RouterModule {
  /**
   * Mounts the router in a Nest application, which must be created with `bodyParser: false` or
   * `rawBody: true`. It serves in the application's own process, whatever `workers` says, and `/docs` and `/openapi.json`
   * with `disableApiDocs: false` alone.
   * @throws {SettingsError} with every problem of the settings
   */
  static forRoot(options: RouterModuleOptions): DynamicModule {
    const { settings, strategies = [], discoveries = [] } = options;
    const loaded = loadSettings({
      argv: [],
      env: {},
      readFile: readTextFileSync,
      // The application has documentation of its own, or wants none.
      ...settingsSources({ settings: { disableApiDocs: true, ...settings }, strategies, discoveries }),
    });
    return RouterModule.withSettings(loaded, strategies, discoveries);
  }

  /** The same with settings that are loaded already, by the command line. */
  static withSettings(
    loaded: LoadedSettings,
    strategies: readonly StrategyClass[],
    discoveries: readonly DiscoveryProvider[],
    parts: RouterParts = {},
  ): DynamicModule {
    const discovery = withProviders(DiscoveryModule.register(discoveries), parts.discovery);
    const routing = RoutingModule.register(strategies);
    const metrics = MetricsModule.register(parts.stats, parts.metrics);
    const dynamicConfig = withProviders(
      DynamicConfigModule.register({
        imports: [discovery, routing, metrics],
        parts: [...RELOADED],
        listener: MetricsReloadListener,
      }),
      parts.dynamicConfig,
    );
    const decisions = DecisionsModule.register([metrics], parts.decisions);
    const health = withProviders(HealthModule.register(metrics), parts.health);
    const tracing = TracingModule.register([metrics, decisions]);
    const proxy = withProviders(
      { module: ProxyModule, imports: [discovery, routing, metrics, decisions, health, tracing] },
      parts.proxy,
    );
    const joined = [discovery, metrics, dynamicConfig, decisions, health, proxy];
    const operations = withProviders({ module: OperationsModule, imports: joined }, parts.operations);
    // An application around the router may have such a route of its own.
    const hasPage = loaded.settings.adminPort !== null || loaded.settings.dashboard;
    return {
      module: RouterModule,
      imports: [
        SettingsModule.register(loaded),
        ScheduleModule.forRoot(),
        SecurityModule,
        discovery,
        routing,
        metrics,
        health,
        dynamicConfig,
        // Before the proxy, whose last route takes every path.
        operations,
        ...(loaded.settings.disableApiDocs ? [] : [ApiDocsModule]),
        ...(hasPage ? [DashboardModule.register(joined, parts.dashboard)] : []),
        proxy,
      ],
      providers: [RouterWiring, ...(parts.router ?? [])],
    };
  }
}

/** Of two providers of one token, Nest takes the later one. */
function withProviders(module: DynamicModule, more: readonly Provider[] = []): DynamicModule {
  return { ...module, providers: [...(module.providers ?? []), ...more] };
}
