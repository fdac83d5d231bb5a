import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import type { Engine } from '../core/engine.js';
import type { Fleet } from '../core/fleet.js';
import type { HealthCause } from '../core/health/failure-rules.js';
import { FleetHealth } from '../core/health/fleet-health.js';
import type { HealthNews } from '../core/health/health-news.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { RequestStatsService } from '../stats/request-stats.service.js';
import { HealthLog } from './health-log.js';

/** An engine is ejected or back, or an operator has taken it out or given it back. */
export type HealthTurn =
  | { readonly what: 'ejected'; readonly cause: HealthCause }
  | { readonly what: 'back' | 'drained' | 'returned' };

const isTurn = (news: HealthNews): news is HealthNews & HealthTurn =>
  ['ejected', 'back', 'drained', 'returned'].includes(news.what);

/** The health of all engines, with the log, the metrics, and the requests that each has. */
@Injectable()
export class HealthService extends FleetHealth {
  readonly #log = new HealthLog();
  readonly #listeners: ((engine: Engine, turn: HealthTurn) => void)[] = [];

  constructor(
    private readonly metrics: RouterMetrics,
    private readonly stats: RequestStatsService,
    private readonly settings: SettingsStore,
  ) {
    super({ maxEjectedShare: () => settings.current.maxEjectedShare, random: Math.random });
  }

  /** Has `listener` told of each turn from now on, whichever process has seen it. It must not throw. */
  onTurn(listener: (engine: Engine, turn: HealthTurn) => void): void {
    this.#listeners.push(listener);
  }

  /** Follows the fleet. An engine that leaves ends the requests that it has, until `--engine-drain-timeout`. */
  retain(fleet: Fleet): void {
    const now = performance.now();
    const until = now + this.settings.current.engineDrainTimeout * 1_000;
    this.follow(fleet, ({ id }) => (this.stats.ownInFlight(id) > 0 ? until : null), now);
    this.#log.retain((id) => fleet.byId(id) !== undefined);
  }

  override ended(engine: Engine, sentAt: number): void {
    super.ended(engine, sentAt);
    if (this.draining > 0 && this.stats.ownInFlight(engine.id) === 0) this.drained(engine.id);
  }

  override learn(engineId: string, news: HealthNews, now: number): void {
    super.learn(engineId, news, now);
    if (news.what === 'ejected') this.#log.heardEjected(engineId, now);
    else if (news.what === 'back') this.#log.heardBack(engineId);
    const engine = isTurn(news) ? this.engines.find(({ id }) => id === engineId) : undefined;
    if (engine !== undefined && isTurn(news)) this.#turned(engine, news);
  }

  override setDrained(engineId: string, drained: boolean, now: number): boolean | null {
    const changed = super.setDrained(engineId, drained, now);
    const engine = this.engines.find(({ id }) => id === engineId);
    if (changed === true && engine !== undefined) {
      this.#turned(engine, { what: drained ? 'drained' : 'returned' });
      this.#log.ordered(engine, drained);
    }
    return changed;
  }

  protected override onEjected(engine: Engine, cause: HealthCause, ms: number, now: number): void {
    this.metrics.ejected(engine, cause);
    this.#log.ejected(engine, cause, ms, now);
    this.#turned(engine, { what: 'ejected', cause });
  }

  protected override onBack(engine: Engine): void {
    this.#log.back(engine);
    this.#turned(engine, { what: 'back' });
  }

  #turned(engine: Engine, turn: HealthTurn): void {
    for (const listener of this.#listeners) listener(engine, turn);
  }
}
