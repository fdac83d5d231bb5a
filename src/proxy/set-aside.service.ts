import { Injectable, Logger } from '@nestjs/common';
import type { AttemptCause } from '../core/attempt-failure.js';
import type { Engine } from '../core/engine.js';
import type { Fleet } from '../core/fleet.js';
import { RouterMetrics } from '../metrics/router-metrics.js';

/** How long an engine that failed is not tried, milliseconds. */
const SET_ASIDE_MS = 5_000;

/** The engines that failed a moment ago and are not tried for now; bounded by the fleet. */
@Injectable()
export class SetAsideService {
  /** When each was set aside last, monotonic milliseconds. */
  readonly #since = new Map<string, number>();
  /** Those that have not answered since, so that an engine which stays dead is logged once. */
  readonly #failing = new Set<string>();
  readonly #log = new Logger('Proxy');

  constructor(private readonly metrics: RouterMetrics) {}

  /** `now` in monotonic milliseconds. */
  add(engine: Engine, cause: AttemptCause, now: number): void {
    if (!this.has(engine, now)) this.metrics.setAside(engine, cause);
    this.#since.set(engine.id, now);
    if (this.#failing.has(engine.id)) return;
    this.#failing.add(engine.id);
    this.#log.warn(`engine ${engine.url} is set aside for ${SET_ASIDE_MS / 1_000} s at a time: ${cause}`);
  }

  /** Engines that may be set aside; 0: none is. */
  get size(): number {
    return this.#since.size;
  }

  /** Whether the engine is set aside; `now` in monotonic milliseconds. */
  has(engine: Engine, now: number): boolean {
    const since = this.#since.get(engine.id);
    if (since === undefined) return false;
    if (since + SET_ASIDE_MS > now) return true;
    this.#since.delete(engine.id);
    return false;
  }

  /** An answer came to a request that was sent at `sentAt`: the engine lives if it had failed before that. */
  clear(engine: Engine, sentAt: number): void {
    if (this.#failing.size === 0) return;
    const since = this.#since.get(engine.id);
    if (since !== undefined && since > sentAt) return;
    this.#since.delete(engine.id);
    if (this.#failing.delete(engine.id)) this.answersAgain(engine, sentAt);
  }

  /** An engine that had failed has answered a request that was sent at `sentAt`. */
  protected answersAgain(engine: Engine, _sentAt: number): void {
    this.#log.log(`engine ${engine.url} answers again`);
  }

  /** Another process on the port has set the engine aside at `since`, and has told of it in the log. */
  learn(engineId: string, since: number): void {
    this.#since.set(engineId, Math.max(since, this.#since.get(engineId) ?? since));
    this.#failing.add(engineId);
  }

  /** Another process on the port has had an answer to a request that it sent at `sentAt`. */
  unlearn(engineId: string, sentAt: number): void {
    const since = this.#since.get(engineId);
    if (since !== undefined && since > sentAt) return;
    this.#since.delete(engineId);
    this.#failing.delete(engineId);
  }

  /** When each engine that may be set aside was so last, monotonic milliseconds. */
  get marks(): ReadonlyMap<string, number> {
    return this.#since;
  }

  retain(fleet: Fleet): void {
    for (const id of this.#since.keys()) if (fleet.byId(id) === undefined) this.#since.delete(id);
    for (const id of this.#failing) if (fleet.byId(id) === undefined) this.#failing.delete(id);
  }
}
