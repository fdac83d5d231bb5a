import { Injectable } from '@nestjs/common';
import { RouterError } from '../core/errors.js';
import { FleetService } from '../discovery/fleet.service.js';
import { DynamicConfigService } from '../dynamic-config/dynamic-config.service.js';
import { HealthService } from '../health/health.service.js';
import { OperatorActions, type ReloadReport } from '../operations/operator-actions.js';
import { FollowedFiles } from '../security/followed-files.js';
import type { Ordered } from './messages.js';
import { PrimaryLink } from './primary-link.js';

/** What concerns all processes is done by the primary; engines that are drained are told like their health. */
@Injectable()
export class RelayedActions extends OperatorActions {
  readonly #link: PrimaryLink;

  constructor(
    fleet: FleetService,
    health: HealthService,
    dynamicConfig: DynamicConfigService,
    files: FollowedFiles,
    link: PrimaryLink,
  ) {
    super(fleet, health, dynamicConfig, files);
    this.#link = link;
    link.on('lookAtFiles', () => void files.look());
  }

  override async retryDiscovery(): Promise<void> {
    done(await this.#link.ask('retry'));
  }

  override async reload(): Promise<ReloadReport> {
    return done(await this.#link.ask('reload'));
  }
}

function done<T>(ordered: Ordered<T>): T {
  if ('refused' in ordered) {
    const { status, code, message } = ordered.refused;
    throw new RouterError(status, code, message);
  }
  return ordered.done;
}
