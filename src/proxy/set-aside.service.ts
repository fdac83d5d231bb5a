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
  /** When each was set aside last, monotonic milliseconds. */
  readonly #since = new Map<string, number>();

  constructor(private readonly metrics: RouterMetrics) {}

  /** `now` in monotonic milliseconds. */
  add(engine: Engine, cause: AttemptCause, now: number): void {
    if (!this.has(engine, now)) this.metrics.setAside(engine, cause);
    this.#since.set(engine.id, now);
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
    const since = this.#since.get(engine.id);
    if (since !== undefined && since <= sentAt) this.#since.delete(engine.id);
  }

  retain(fleet: Fleet): void {
    for (const id of this.#since.keys()) if (fleet.byId(id) === undefined) this.#since.delete(id);
  }
}
