import { Injectable, Logger } from '@nestjs/common';
import { LoadedSettings } from '../config/load-settings.js';
import { routerVersion } from '../config/version.js';
import { rotationOf } from '../decisions/decision-log.js';
import type { LogRotation } from '../decisions/log-rotation.js';
import { FleetService } from '../discovery/fleet.service.js';
import { DynamicConfigService } from '../dynamic-config/dynamic-config.service.js';
import { HealthProbe } from '../health/health-probe.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { EngineStatsScraper } from '../stats/engine-stats.scraper.js';
import { StatsLogService } from '../stats/stats-log.service.js';
import type { Beginning, WorkerMessage } from './messages.js';
import { PrimaryAnswers } from './primary-answers.js';
import { PrimaryState } from './primary-state.js';
import { WholeDecisions } from './whole-decisions.js';
import { WholeMetrics } from './whole-metrics.js';
import { type PoolOwner, WorkerPool } from './worker-pool.js';
import { registerWorkerMetrics } from './worker-count-metrics.js';
import { WorkersReload } from './workers-reload.js';

/** Joins the parts of the primary: what workers tell goes to whom it concerns. */
@Injectable()
export class Primary implements PoolOwner {
  readonly #log = new Logger('vllm-router');
  #port = 0;
  #rotation: LogRotation | null = null;

  constructor(
    private readonly loaded: LoadedSettings,
    private readonly pool: WorkerPool,
    private readonly state: PrimaryState,
    private readonly whole: WholeMetrics,
    private readonly reload: WorkersReload,
    private readonly fleet: FleetService,
    private readonly metrics: RouterMetrics,
    private readonly scraper: EngineStatsScraper,
    private readonly probe: HealthProbe,
    private readonly statsLog: StatsLogService,
    private readonly dynamicConfig: DynamicConfigService,
    private readonly decisions: WholeDecisions,
    private readonly answers: PrimaryAnswers,
  ) {}

  /**
   * Starts the workers on `port`; resolves when all of them serve.
   * @throws {SettingsError} when a worker cannot work with the settings
   */
  async start(port: number): Promise<void> {
    this.#port = port;
    this.#rotate();
    for (const warning of this.loaded.warnings) this.#log.warn(warning);
    this.metrics.bindGauges({
      version: routerVersion(),
      bodyMemory: () => this.state.ledger.bodies,
      discoveryUp: () => ['starting', 'synced'].includes(this.fleet.status.state),
    });
    registerWorkerMetrics(this.metrics.registry, () => this.pool.counts);
    const { applied, lastError } = this.dynamicConfig.state;
    if (lastError !== null) this.metrics.reloaded('rejected');
    else if (applied !== null) this.metrics.reloaded('applied');
    this.state.follow(() => this.dynamicConfig.state);
    this.scraper.start();
    this.probe.start();
    this.statsLog.start();
    await this.pool.start(this);
  }

  /** Goes down with all workers; called again, it hurries them. */
  async shutDown(hurry: boolean): Promise<void> {
    await this.pool.shutDown(hurry);
    this.state.stop();
    this.#rotation?.stop();
  }

  beginning(number: number): Beginning {
    return this.state.beginning(number, this.#port);
  }

  joined(number: number): void {
    this.whole.shares.join(number);
    this.state.join(number);
  }

  left(number: number): void {
    this.state.leave(number);
    this.reload.left(number);
    this.decisions.left(number);
    void this.whole.left(number);
  }

  heard(number: number, message: WorkerMessage): void {
    switch (message.type) {
      case 'news': {
        const { news } = message;
        this.state.ledger.enter(number, news);
        this.whole.shares.enter(number, news);
        this.state.marked(number, news.marks);
        this.state.suspected(number, news.suspects, news.progress);
        if (news.strategy !== null) this.state.strategies.enter(number, news.strategy);
        this.state.touchAll();
        return;
      }
      case 'counters':
        return this.whole.shares.enterOwn(number, message.own);
      case 'share':
        return this.whole.told(number, message.id, message.share);
      case 'prepared':
        return this.reload.prepared(number, message.reload, message.problem);
      case 'metrics':
        return void this.#render(number, message.id);
      case 'ask':
        return void this.answers.answer(number, message.id, message.what);
      case 'latest':
        return void this.#tellLatest(number, message.id, message.count);
      case 'decisions':
        return this.decisions.told(number, message.id, message.decisions);
    }
  }

  /** The workers write the decision log; one process alone may rename it. */
  #rotate(): void {
    const { decisionLog, decisionLogSize } = this.loaded.settings;
    if (decisionLog === null) return;
    this.#rotation = rotationOf(decisionLog, decisionLogSize);
    this.#rotation.start();
  }

  async #tellLatest(number: number, id: number, count: number): Promise<void> {
    this.pool.send(number, { type: 'latest', id, decisions: await this.decisions.latest(count) });
  }

  async #render(number: number, id: number): Promise<void> {
    const rendered = await this.whole.render().catch((error: unknown) => {
      this.#log.error(`metrics: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return null;
    });
    this.pool.send(number, { type: 'rendered', id, rendered });
  }
}
