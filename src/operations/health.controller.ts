import { Controller, Get, Header, HttpStatus, Optional, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SettingsStore } from '../config/settings-store.js';
import type { HealthState } from '../core/health/health-state.js';
import { HealthService } from '../health/health.service.js';
import { DynamicConfigService } from '../dynamic-config/dynamic-config.service.js';
import { FleetService } from '../discovery/fleet.service.js';
import { CandidatesService } from '../proxy/candidates.service.js';
import { DrainState } from '../proxy/drain-state.js';
import { AccessControl } from '../security/access-control.js';
import { FollowedFiles, type FollowedState } from '../security/followed-files.js';
import { accessibleTo } from '../security/route-access.js';
import { EngineStatsScraper } from '../stats/engine-stats.scraper.js';
import { routerVersion } from '../config/version.js';
import { WorkersReport } from './workers-report.js';

/** Engines that `/health` names with their state. */
const MAX_NAMED = 100;

/** `GET /health`, `/ready` and `/version`: from memory alone, no engine is asked. */
@Controller()
export class HealthController {
  constructor(
    private readonly fleet: FleetService,
    private readonly scraper: EngineStatsScraper,
    private readonly dynamicConfig: DynamicConfigService,
    private readonly candidates: CandidatesService,
    private readonly engineHealth: HealthService,
    private readonly drain: DrainState,
    private readonly settings: SettingsStore,
    private readonly access: AccessControl,
    private readonly files: FollowedFiles,
    @Optional() private readonly report?: WorkersReport,
  ) {}

  /**
   * Liveness: 503 only when a loop of the router's own has ended, which a restart cures. It cures neither
   * a dead engine nor an unreachable API server, so these show as fields of a healthy answer.
   */
  @Get('health')
  @RouteConfig(accessibleTo('probe'))
  @Header('cache-control', 'no-store')
  health(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Record<string, unknown> {
    const discovery = this.fleet.status;
    if (discovery.state === 'stopped') return this.#down(reply, 'Service discovery module is down.');
    if (!this.scraper.alive) return this.#down(reply, 'Engine stats scraper is down.');
    if (!this.access.seesInside(request.raw)) return { status: 'healthy' };
    const { enabled, applied, appliedHash, appliedAt, lastError } = this.dynamicConfig.state;
    return {
      status: 'healthy',
      ...(enabled ? { dynamic_config: applied } : {}),
      ...(enabled
        ? { dynamic_config_state: { hash: appliedHash, applied_at: appliedAt, last_error: lastError } }
        : {}),
      discovery: {
        provider: discovery.provider,
        state: discovery.state,
        reason: discovery.reason,
        since: new Date(discovery.since).toISOString(),
      },
      engines: {
        known: discovery.engines,
        usable: this.candidates.usable().length,
        unknown: discovery.unknown,
        ...this.#states(),
      },
      ...(this.files.states.length > 0 ? { files: this.files.states.map(shownFile) } : {}),
      ...(this.report ? { workers: this.report.workers } : {}),
    };
  }

  /** Readiness: whether requests should be sent here now. */
  @Get('ready')
  @RouteConfig(accessibleTo('probe'))
  @Header('cache-control', 'no-store')
  ready(@Res({ passthrough: true }) reply: FastifyReply): Record<string, unknown> {
    const reason = this.#unready();
    if (reason === null) return { status: 'ready' };
    void reply.status(HttpStatus.SERVICE_UNAVAILABLE);
    return { status: 'not ready', reason };
  }

  @Get('version')
  @RouteConfig(accessibleTo('probe'))
  version(): { readonly version: string } {
    return { version: routerVersion() };
  }

  /** How many engines are in each state, and those that are not ready. */
  #states(): Record<string, unknown> {
    const now = performance.now();
    const states: Partial<Record<HealthState, number>> = {};
    const notReady: { url: string; state: HealthState; reason: string | null }[] = [];
    for (const { id, url } of [...this.fleet.current.engines, ...this.engineHealth.leavers]) {
      const state = this.engineHealth.state(id, now);
      states[state] = (states[state] ?? 0) + 1;
      if (state === 'ready' || notReady.length === MAX_NAMED) continue;
      notReady.push({ url, state, reason: state === 'asleep' ? null : this.engineHealth.cause(id) });
    }
    return { states, not_ready: notReady };
  }

  #unready(): string | null {
    if (this.drain.leaving) return 'shutting down';
    if (!this.fleet.synced) return 'discovery has not synced yet';
    const needsEngine = this.settings.current.readyNeedsEngine;
    return needsEngine && this.candidates.usable().length === 0 ? 'no engine is usable' : null;
  }

  #down(reply: FastifyReply, status: string): Record<string, unknown> {
    void reply.status(HttpStatus.SERVICE_UNAVAILABLE);
    return { status };
  }
}

const shownFile = ({ flags, appliedAt, lastError }: FollowedState): Record<string, unknown> => ({
  flags,
  applied_at: appliedAt,
  last_error: lastError,
});
