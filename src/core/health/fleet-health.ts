import type { Engine } from '../engine.js';
import { Fleet } from '../fleet.js';
import { hasRoom, leastBad } from './ejection-share.js';
import type { EngineHealth } from './engine-health.js';
import { FAILURE_RULES, type HealthCause, type Proof } from './failure-rules.js';
import type { HealthNews } from './health-news.js';
import type { HealthState } from './health-state.js';
import { heedNews, newsInForce } from './heed-news.js';
import { keptHealth, type KeptHealth } from './kept-health.js';

export interface HealthOptions {
  /** The share of a model's engines that may be out when one is ejected for what is no sure sign, 0 to 1. */
  readonly maxEjectedShare: () => number;
  /** Gives numbers in [0, 1). */
  readonly random: () => number;
}

/** How long an engine that could not be ejected for want of room stays in, milliseconds: looking costs all its models. */
const DENIAL = 1_000;

/**
 * The health of all engines; what happens to one is told by the hooks. Nothing is kept of one that is simply ready, so that a fleet without trouble costs a
 * request a comparison (`limited === 0`). Bounded by the engines of the fleet and those that end their last requests.
 */
export class FleetHealth {
  readonly #kept = new Map<string, KeptHealth>();
  readonly #healthOf = (id: string): EngineHealth | undefined => this.#kept.get(id)?.health;
  #fleet = Fleet.empty;
  #limited = 0;
  #draining = 0;

  constructor(private readonly options: HealthOptions) {}

  /** Engines of which something is remembered. */
  get size(): number {
    return this.#kept.size;
  }

  /** Engines that get fewer requests than others, or none. */
  get limited(): number {
    return this.#limited;
  }

  /** Engines that have left the fleet and still have requests. */
  get draining(): number {
    return this.#draining;
  }

  /** Those. */
  get leavers(): readonly Engine[] {
    return [...this.#kept.values()].flatMap(({ engine, draining }) => (draining ? engine : []));
  }

  /** The engines of the fleet. */
  get engines(): readonly Engine[] {
    return this.#fleet.engines;
  }

  state(engineId: string, now: number): HealthState {
    const health = this.#healthOf(engineId);
    if (health) return health.state(now);
    return this.#fleet.byId(engineId) ? 'ready' : 'gone';
  }

  /** What the last failure of the engine was that has not been forgotten. */
  cause(engineId: string): HealthCause | null {
    return this.#healthOf(engineId)?.cause ?? null;
  }

  /** Whether a request may be sent to the engine now. */
  mayTry(engine: Engine, now: number): boolean {
    return this.#healthOf(engine.id)?.mayTry(now) ?? true;
  }

  /** As `mayTry`, but an engine that gets fewer requests than others is left out as often as its share says. */
  takesTurn(engine: Engine, now: number): boolean {
    const kept = this.#kept.get(engine.id);
    if (!kept?.limited) return true;
    this.#settle(kept, now);
    if (!kept.health.mayTry(now)) return false;
    const share = kept.health.share(now);
    return share >= 1 || this.options.random() < share;
  }

  /** See `leastBad` of `ejection-share.ts`. */
  leastBad(engines: readonly Engine[], atOnce = false): readonly Engine[] {
    return leastBad(engines, this.#healthOf, atOnce);
  }

  /** A request goes to the engine. */
  sent(engine: Engine, at: number): void {
    if (this.#limited === 0) return;
    if (this.#healthOf(engine.id)?.sent(at)) this.onNews(engine, { what: 'probing', at });
  }

  /** What was sent at `sentAt` has ended, in whatever way. */
  ended(engine: Engine, sentAt: number): void {
    if (this.#kept.size > 0) this.#healthOf(engine.id)?.ended(sentAt);
  }

  /** What was sent at `sentAt` has failed. */
  failed(engine: Engine, cause: HealthCause, sentAt: number, now: number): void {
    if (FAILURE_RULES[cause].weight === 'none' || this.#fleet.byId(engine.id) === undefined) return;
    const kept = this.#keep(engine);
    const { health } = kept;
    const wasOut = health.out;
    const context = { room: () => this.#hasRoom(kept, now), random: this.options.random };
    if (health.failed(cause, sentAt, now, context)) {
      const { at, until, inARow } = health.ejection;
      this.onNews(engine, { what: 'ejected', cause, at, until, inARow });
      this.onEjected(engine, cause, until - at, now);
    } else if (!wasOut && health.state(now) === 'suspect') {
      this.onNews(engine, { what: 'suspect', at: now });
    }
    this.#settle(kept, now);
  }

  /** An answer came to what was sent at `sentAt`. */
  answered(engine: Engine, proof: Proof, sentAt: number, now: number): void {
    if (this.#kept.size === 0) return;
    const kept = this.#kept.get(engine.id);
    if (kept === undefined) return;
    const wasOut = kept.health.out;
    if (kept.health.answered(proof, sentAt, now) && wasOut) {
      this.onNews(engine, { what: 'back', sentAt, at: now });
      this.onBack(engine, now);
    } else if (kept.watched && proof === 'output') {
      this.onNews(engine, { what: 'answered', at: now });
    }
    if (proof === 'output') kept.watched = false;
    this.#settle(kept, now);
  }

  /** What the engine tells of its sleep; null: it does not tell, or its metrics cannot be read. @returns whether that is new */
  slept(engineId: string, asleep: boolean | null, now: number): boolean {
    const engine = this.#fleet.byId(engineId);
    if (engine === undefined || (asleep !== true && !this.#kept.has(engineId))) return false;
    const kept = this.#keep(engine);
    const changed = kept.health.slept(asleep, now);
    this.#settle(kept, now);
    return changed;
  }

  /**
   * An operator takes the engine out, or gives it back.
   * @returns whether that is new; null when it is not of the fleet
   */
  setDrained(engineId: string, drained: boolean, now: number): boolean | null {
    const engine = this.#fleet.byId(engineId);
    if (engine === undefined) return null;
    if (!drained && !this.#kept.has(engineId)) return false;
    const kept = this.#keep(engine);
    const changed = kept.health.setDrained(drained, now);
    this.#settle(kept, now);
    if (changed) this.onNews(engine, { what: drained ? 'drained' : 'returned', at: now });
    return changed;
  }

  /** Takes in what another process has told. */
  learn(engineId: string, news: HealthNews, now: number): void {
    const engine = this.#fleet.byId(engineId);
    if (engine === undefined) return;
    const kept = this.#keep(engine);
    kept.watched = news.what === 'suspect' || (kept.watched && news.what !== 'answered');
    heedNews(kept.health, news, now);
    this.#settle(kept, now);
  }

  /** What a process that begins now has to know. */
  *inForce(now: number): Iterable<readonly [engineId: string, news: HealthNews]> {
    for (const [id, { health }] of this.#kept) for (const news of newsInForce(health, now)) yield [id, news];
  }

  /**
   * Follows the fleet.
   * @param drainsUntil when the last requests of an engine that has left are ended; null: it has none
   */
  follow(fleet: Fleet, drainsUntil: (engine: Engine) => number | null, now: number): void {
    for (const engine of this.#fleet.engines) {
      const until = fleet.byId(engine.id) === undefined ? drainsUntil(engine) : null;
      if (until !== null) this.#keep(engine).health.drain(until);
    }
    this.#fleet = fleet;
    for (const kept of this.#kept.values()) {
      const engine = fleet.byId(kept.engine.id);
      if (engine !== undefined) {
        kept.engine = engine;
        kept.health.drain(null);
      }
      if (engine === undefined && !kept.health.draining) this.#drop(kept);
      else this.#settle(kept, now);
    }
  }

  /** The last request of an engine that had left has ended. */
  drained(engineId: string): void {
    const kept = this.#kept.get(engineId);
    if (kept?.draining) this.#drop(kept);
  }

  /** What other processes need to know. */
  onNews: (engine: Engine, news: HealthNews) => void = () => {};

  /** The engine is ejected for `ms`, anew or once more. */
  protected onEjected(_engine: Engine, _cause: HealthCause, _ms: number, _now: number): void {}

  /** The engine is no longer ejected. */
  protected onBack(_engine: Engine, _now: number): void {}

  #hasRoom(kept: KeptHealth, now: number): boolean {
    if (now < kept.deniedUntil) return false;
    const share = this.options.maxEjectedShare();
    const room = kept.engine.models.every(({ id }) =>
      hasRoom(this.#fleet.serving(id), share, this.#healthOf),
    );
    if (!room) kept.deniedUntil = now + DENIAL;
    return room;
  }

  #keep(engine: Engine): KeptHealth {
    let kept = this.#kept.get(engine.id);
    if (kept === undefined) {
      kept = keptHealth(engine);
      this.#kept.set(engine.id, kept);
    }
    return kept;
  }

  /** Brings the counts in line with what is kept of an engine, and forgets it when there is nothing to remember. */
  #settle(kept: KeptHealth, now: number): void {
    const { health } = kept;
    this.#count(kept, !health.draining && health.isLimited(now), health.draining);
    if (!kept.watched && health.isForgettable(now)) this.#kept.delete(kept.engine.id);
  }

  #drop(kept: KeptHealth): void {
    this.#count(kept, false, false);
    this.#kept.delete(kept.engine.id);
  }

  #count(kept: KeptHealth, limited: boolean, draining: boolean): void {
    this.#limited += Number(limited) - Number(kept.limited);
    this.#draining += Number(draining) - Number(kept.draining);
    kept.limited = limited;
    kept.draining = draining;
  }
}
