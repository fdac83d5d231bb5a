import { type BeforeApplicationShutdown, Injectable, type OnModuleDestroy, Optional } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { SettingsStore } from '../config/settings-store.js';
import { causeOfError } from '../core/attempt-failure.js';
import type { Engine } from '../core/engine.js';
import { Schedule } from '../scheduling/schedule.js';
import { EngineAccess } from '../security/engine-access.js';
import { engineGet } from '../upstream/engine-get.js';
import { HealthService } from './health.service.js';

/** Engines asked at the same time. */
const MAX_AT_ONCE = 64;
/** A probe takes as long as the interval at most, but so many seconds in any case. */
const LEAST_TIMEOUT = 1;
/** Largest answer taken in, bytes; vLLM's is empty. */
const MAX_ANSWER = 64 * 1024;

/**
 * Asks every engine for its `/health`, every `--health-check-interval`, each with its own timeout and over a connection of
 * its own, so that one that hangs delays no other. vLLM's /health is shallow: 200 also from one that is frozen, drains or
 * sleeps. So a good answer ends no ejection but of an engine that could not be reached, while an answer of 500 or more, or
 * a port that refuses, is a sure sign. Bounded by the engines of the fleet.
 */
@Injectable()
export class HealthProbe implements OnModuleDestroy, BeforeApplicationShutdown {
  readonly #schedule: Schedule;
  readonly #stopped = new AbortController();
  /** Those that wait or are under way. */
  readonly #asked = new Set<string>();
  readonly #waiting: Engine[] = [];
  #underWay = 0;

  constructor(
    private readonly settings: SettingsStore,
    schedulers: SchedulerRegistry,
    private readonly health: HealthService,
    @Optional() private readonly access?: EngineAccess,
  ) {
    this.#schedule = new Schedule(schedulers, 'health', () => this.round());
  }

  start(): void {
    const { healthCheckInterval } = this.settings.current;
    if (healthCheckInterval > 0) this.#schedule.every(healthCheckInterval);
  }

  onModuleDestroy(): void {
    this.#schedule.stop();
  }

  beforeApplicationShutdown(): void {
    this.#stopped.abort();
  }

  /** Asks all engines but those whose last probe has not ended. */
  round(): void {
    for (const engine of this.health.engines) {
      if (this.#asked.has(engine.id)) continue;
      this.#asked.add(engine.id);
      this.#waiting.push(engine);
    }
    this.#next();
  }

  /** Of one probe, seconds. */
  get #timeout(): number {
    const { healthCheckInterval, backendHealthCheckTimeoutSeconds } = this.settings.current;
    return Math.min(backendHealthCheckTimeoutSeconds, Math.max(healthCheckInterval, LEAST_TIMEOUT));
  }

  #next(): void {
    while (this.#underWay < MAX_AT_ONCE) {
      const engine = this.#waiting.shift();
      if (engine === undefined) return;
      this.#underWay++;
      void this.#probe(engine).then(() => {
        this.#underWay--;
        this.#asked.delete(engine.id);
        this.#next();
      });
    }
  }

  /** Never rejects. */
  async #probe(engine: Engine): Promise<void> {
    const sentAt = performance.now();
    try {
      const { status } = await engineGet(engine.url, '/health', {
        timeoutMs: this.#timeout * 1_000,
        apiKey: this.access?.keyOf(engine.url),
        tls: this.access?.tls,
        maxBytes: MAX_ANSWER,
        signal: this.#stopped.signal,
      });
      const now = performance.now();
      if (status >= 500) this.health.failed(engine, 'unhealthy', sentAt, now);
      else this.health.answered(engine, 'contact', sentAt, now);
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      const cause = causeOfError(error);
      const told = cause === 'refused' || cause === 'no_socket' ? cause : 'unreachable';
      this.health.failed(engine, told, sentAt, performance.now());
    }
  }
}
