import { Injectable } from '@nestjs/common';
import type { AttemptCause } from '../core/attempt-failure.js';
import type { Engine } from '../core/engine.js';
import type { Fleet } from '../core/fleet.js';
import { RouterMetrics } from '../metrics/router-metrics.js';

/** How long an engine that failed is not tried, milliseconds. */
const SET_ASIDE_MS = 5_000;

/** The engines that failed a moment ago and are not tried for now; bounded by the fleet. */
@Injectable()
export class SetAsideService {
  readonly #until = new Map<string, number>();

  constructor(private readonly metrics: RouterMetrics) {}

  /** `now` in monotonic milliseconds. */
  add(engine: Engine, cause: AttemptCause, now: number): void {
    if (!this.has(engine, now)) this.metrics.setAside(engine, cause);
    this.#until.set(engine.id, now + SET_ASIDE_MS);
  }

  /** Whether the engine is set aside; `now` in monotonic milliseconds. */
  has(engine: Engine, now: number): boolean {
    const until = this.#until.get(engine.id);
    if (until === undefined) return false;
    if (until > now) return true;
    this.#until.delete(engine.id);
    return false;
  }

  /** An answer came: the engine lives. */
  clear(engine: Engine): void {
    if (this.#until.size > 0) this.#until.delete(engine.id);
  }

  retain(fleet: Fleet): void {
    for (const id of this.#until.keys()) if (fleet.byId(id) === undefined) this.#until.delete(id);
  }
}
