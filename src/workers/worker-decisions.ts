import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import type { DecisionRecord } from '../core/decision.js';
import { DecisionLog } from '../decisions/decision-log.js';
import { Decisions } from '../decisions/decisions.service.js';
import { RouterRun } from '../decisions/router-run.js';
import { PrimaryLink } from './primary-link.js';

/** The decisions of this worker; the primary collects those of all. */
@Injectable()
export class WorkerDecisions extends Decisions {
  readonly #link: PrimaryLink;

  constructor(settings: SettingsStore, log: DecisionLog, run: RouterRun, link: PrimaryLink) {
    super(settings, log, run);
    this.#link = link;
    link.on('tellDecisions', ({ id, count }) =>
      link.tell({ type: 'decisions', id, decisions: this.latest(count) }),
    );
  }

  /** @throws {RouterError} 503 when the primary does not answer in time */
  override async latestOfAll(count: number): Promise<readonly DecisionRecord[]> {
    return this.#link.decisions(count);
  }
}
