import { Injectable, Logger } from '@nestjs/common';
import { reasonOf } from '../config/settings-error.js';
import { RouterError } from '../core/errors.js';
import { FleetService } from '../discovery/fleet.service.js';
import { DynamicConfigService } from '../dynamic-config/dynamic-config.service.js';
import { HealthService } from '../health/health.service.js';
import { FollowedFiles } from '../security/followed-files.js';

/** What became of one look at the files that are followed. */
export interface ReloadReport {
  /** Null without a dynamic file. `unchanged`: what it holds was in force, or refused, before. */
  readonly dynamic_file: 'applied' | 'unchanged' | 'rejected' | null;
  /** Files of keys and certificates, by their flags; `error` is null where they are in force. */
  readonly files: readonly { readonly flags: string; readonly error: string | null }[];
  /** Why the dynamic file is not in force; null when it is. */
  readonly error: string | null;
}

export interface DrainReport {
  readonly engine: string;
  readonly drained: boolean;
  /** False: it was so before. */
  readonly changed: boolean;
}

/** What operators can tell the router to do. */
@Injectable()
export class OperatorActions {
  readonly #log = new Logger('Actions');

  constructor(
    private readonly fleet: FleetService,
    private readonly health: HealthService,
    private readonly dynamicConfig: DynamicConfigService,
    private readonly files: FollowedFiles,
  ) {}

  /**
   * Takes engines out, or gives them back, in all processes of the router. They keep the requests that they have.
   * @param name id or base URL
   * @throws {RouterError} 404 when no engine of the fleet has it
   */
  setDrained(name: string, drained: boolean): DrainReport {
    const { engines } = this.fleet.current;
    const meant = engines.filter(({ id, url }) => id === name || url === name);
    if (meant.length === 0) {
      const known = engines.length === 0 ? 'There is none.' : `One of them is ${engines[0]!.url}.`;
      throw new RouterError(
        404,
        'engine_not_found',
        `No engine of the fleet is '${name}'. ${known}`,
        'engine',
      );
    }
    const now = performance.now();
    const changed = meant.map(({ id }) => this.health.setDrained(id, drained, now) === true);
    return { engine: name, drained, changed: changed.includes(true) };
  }

  /**
   * Begins the discovery anew and asks all engines for their models now.
   * @throws {RouterError} 502 when the discovery cannot begin; then the one in force stays
   */
  async retryDiscovery(): Promise<void> {
    this.#log.log('an operator has the discovery begin anew');
    try {
      await this.fleet.retry();
    } catch (error) {
      throw new RouterError(502, 'discovery_failed', `The discovery cannot begin anew: ${reasonOf(error)}`);
    }
  }

  /**
   * Looks at the dynamic file and the files of keys and certificates now.
   * @throws {RouterError} 409 when no file is followed
   */
  async reload(): Promise<ReloadReport> {
    const { appliedAt } = this.dynamicConfig.state;
    const [followed] = await Promise.all([this.dynamicConfig.look(), this.files.look()]);
    const files = this.files.states.map(({ flags, lastError }) => ({
      flags,
      error: lastError?.message ?? null,
    }));
    if (!followed && files.length === 0) {
      const message =
        'No file is followed: --dynamic-config-json, --dynamic-config-yaml or files of keys are.';
      throw new RouterError(409, 'nothing_to_reload', message);
    }
    const { appliedAt: now, lastError } = this.dynamicConfig.state;
    const outcome = lastError !== null ? 'rejected' : now === appliedAt ? 'unchanged' : 'applied';
    return { dynamic_file: followed ? outcome : null, files, error: lastError?.message ?? null };
  }
}
