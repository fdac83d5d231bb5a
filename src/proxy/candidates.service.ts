import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import type { Engine } from '../core/engine.js';
import { enginesFull, modelNotFound, noEngineReady, notSynced } from '../core/errors.js';
import type { Fleet } from '../core/fleet.js';
import type { Candidate } from '../core/ranking.js';
import { FleetService } from '../discovery/fleet.service.js';
import { HealthService } from '../health/health.service.js';
import { RequestStatsService } from '../stats/request-stats.service.js';

/** Names of models that were served and are not now, so that they are told from names nobody knows. */
const MAX_REMEMBERED = 4_096;

/** Selects the engines that may be tried for a model. */
@Injectable()
export class CandidatesService {
  /** One object per engine of the fleet. */
  readonly #candidates = new Map<string, Candidate>();
  /** The candidates of each model, by its engines; bounded by the models of the fleet, which it goes with. */
  #whole = new WeakMap<readonly Engine[], readonly Candidate[]>();
  /** At most 4,096 names, the oldest goes first. */
  readonly #gone = new Set<string>();

  constructor(
    private readonly fleet: FleetService,
    private readonly stats: RequestStatsService,
    private readonly health: HealthService,
    private readonly settings: SettingsStore,
  ) {}

  /**
   * The candidates for `model`, sorted by URL. An engine that has just come back takes part only now and then. When
   * none may be tried, those come that are the least bad, since trying one is better than refusing.
   * @throws {RouterError} 404 unknown model, 503 before discovery has synced, no engine ready, all taken out, all full
   */
  select(model: string, now: number): readonly Candidate[] {
    const serving = this.fleet.current.serving(model);
    if (serving.length === 0) throw this.#nobody(model);
    if (this.health.limited === 0 && this.settings.current.maxRequestsPerEngine === 0)
      return this.#all(serving);
    const inTurn = this.#inTurn(serving, now);
    if (inTurn.length === 0) throw noEngineReady(model);
    const free = inTurn.filter((engine) => this.#hasRoom(engine));
    if (free.length === 0) throw enginesFull(model);
    return free.map((engine) => this.#candidate(engine));
  }

  /** Whether an engine of the fleet serves the model: its name may stand in a label. */
  isServed(model: string): boolean {
    return this.fleet.current.serving(model).length > 0;
  }

  /** The engines that serve the model. */
  serving(model: string): readonly Engine[] {
    return this.fleet.current.serving(model);
  }

  /** How many engines may be tried for the model: those that are ejected only when there are no others. */
  countUsable(model: string, now: number): number {
    const serving = this.fleet.current.serving(model);
    if (this.health.limited === 0) return serving.length;
    let usable = 0;
    for (const engine of serving) if (this.health.mayTry(engine, now)) usable++;
    return usable > 0 ? usable : serving.length;
  }

  /** Engines of the fleet that may be tried. */
  usable(): readonly Engine[] {
    return this.fleet.current.engines.filter((engine) => this.isUsable(engine));
  }

  isUsable(engine: Engine): boolean {
    return this.health.mayTry(engine, performance.now());
  }

  /** Whether a retry may still go to the engine: it is of the fleet, healthy enough and not full. */
  eligible(engine: Engine, now: number): boolean {
    return (
      this.fleet.current.byId(engine.id) !== undefined &&
      this.health.mayTry(engine, now) &&
      this.#hasRoom(engine)
    );
  }

  /** The engines of `model` that are not in `tried` and to which a retry may go. */
  untried(model: string, tried: ReadonlySet<string>, now: number): readonly Candidate[] {
    return this.fleet.current
      .serving(model)
      .filter((engine) => !tried.has(engine.id) && this.eligible(engine, now))
      .map((engine) => this.#candidate(engine));
  }

  /**
   * The least bad engines of `model` that are not in `tried`, where none may be tried: better than no answer.
   * @param atOnce only those that tell at once if they still fail
   */
  lastResort(model: string, tried: ReadonlySet<string>, atOnce: boolean): readonly Candidate[] {
    const left = this.fleet.current
      .serving(model)
      .filter((engine) => !tried.has(engine.id) && this.#hasRoom(engine));
    return this.health.leastBad(left, atOnce).map((engine) => this.#candidate(engine));
  }

  /** Whether no other engine of the fleet serves the model. */
  isSole(engine: Engine, model: string): boolean {
    const serving = this.fleet.current.serving(model);
    return serving.length === 1 && serving[0]!.id === engine.id;
  }

  /** Follows a change of the fleet. */
  follow(next: Fleet, previous: Fleet): void {
    for (const [id, { engine }] of this.#candidates) {
      if (next.byId(id) !== engine) this.#candidates.delete(id);
    }
    this.#whole = new WeakMap();
    for (const model of previous.modelIds) {
      if (next.serving(model).length === 0) this.#gone.add(model);
    }
    for (const model of next.modelIds) this.#gone.delete(model);
    for (const model of this.#gone) {
      if (this.#gone.size <= MAX_REMEMBERED) break;
      this.#gone.delete(model);
    }
  }

  /** The engines among which this request's is chosen. */
  #inTurn(serving: readonly Engine[], now: number): readonly Engine[] {
    const { health } = this;
    if (health.limited === 0) return serving;
    const inTurn = serving.filter((engine) => health.takesTurn(engine, now));
    if (inTurn.length > 0) return inTurn;
    const usable = serving.filter((engine) => health.mayTry(engine, now));
    return usable.length > 0 ? usable : health.leastBad(serving);
  }

  #hasRoom(engine: Engine): boolean {
    const limit = this.settings.current.maxRequestsPerEngine;
    return limit === 0 || this.stats.signalsOf(engine).inFlight < limit;
  }

  /** All engines of a model: the same array as long as the fleet is the same. */
  #all(serving: readonly Engine[]): readonly Candidate[] {
    let all = this.#whole.get(serving);
    if (all === undefined) {
      all = Object.freeze(serving.map((engine) => this.#candidate(engine)));
      this.#whole.set(serving, all);
    }
    return all;
  }

  #candidate(engine: Engine): Candidate {
    let candidate = this.#candidates.get(engine.id);
    if (candidate?.engine !== engine) {
      candidate = { engine, signals: this.stats.signalsOf(engine) };
      this.#candidates.set(engine.id, candidate);
    }
    return candidate;
  }

  #nobody(model: string): Error {
    if (!this.fleet.synced) return notSynced();
    if (this.#gone.has(model)) return noEngineReady(model);
    return modelNotFound(model, this.fleet.current.modelIds);
  }
}
