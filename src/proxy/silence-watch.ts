import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import type { Engine } from '../core/engine.js';
import type { Attempt } from './attempt.js';
import type { Exchange } from './exchange.js';
import { PortProbe } from './port-probe.js';

const SWEEP_MS = 250;
/** Silence after which an engine's port is asked whether anybody still listens, milliseconds. */
const SUSPECT_MS = 5_000;
/** Streams wait this long for their first committing frame unless --first-byte-timeout says otherwise, seconds. */
const FIRST_FRAME_SECONDS = 300;

/**
 * Watches all exchanges for timeouts and for engines that have gone silent, in one sweep four times a
 * second, so that a request costs no timer. A vLLM that gets SIGTERM mostly leaves its connections open
 * and silent while it refuses new ones: a silent engine whose port refuses twice is dead.
 */
@Injectable()
export class SilenceWatch implements OnModuleInit, OnApplicationShutdown {
  /** Bounded by the requests in flight. */
  readonly #exchanges = new Set<Exchange>();
  readonly #probe = new PortProbe((engine) => this.#dead(engine));
  #timer: NodeJS.Timeout | null = null;

  constructor(private readonly settings: SettingsStore) {}

  onModuleInit(): void {
    this.#timer = setInterval(() => this.sweep(performance.now()), SWEEP_MS);
    this.#timer.unref();
  }

  onApplicationShutdown(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#probe.stop();
  }

  /** Exchanges under way. */
  get size(): number {
    return this.#exchanges.size;
  }

  add(exchange: Exchange): void {
    this.#exchanges.add(exchange);
  }

  remove(exchange: Exchange): void {
    this.#exchanges.delete(exchange);
  }

  /** Fails every exchange that is still under way, at the end of a shutdown. */
  failAll(): void {
    for (const exchange of this.#exchanges) exchange.attempt?.fail('shutdown');
  }

  /** `now` in monotonic milliseconds. */
  sweep(now: number): void {
    const settings = this.settings.current;
    for (const exchange of this.#exchanges) {
      const { attempt, facts } = exchange;
      if (attempt === null) continue;
      const firstByte = settings.firstByteTimeout ?? (facts.stream ? FIRST_FRAME_SECONDS : Infinity);
      if (now - exchange.startedAt > settings.totalTimeout * 1_000) attempt.fail('total_timeout');
      else if (attempt.phase !== 'relaying') {
        if (now - attempt.startedAt > firstByte * 1_000) attempt.fail('first_byte_timeout');
      } else if (!attempt.paused && now - attempt.lastByteAt > settings.idleTimeout * 1_000) {
        attempt.fail('idle_timeout');
      }
      if (this.#silent(attempt, now)) this.#probe.suspect(attempt.engine, now);
    }
  }

  #silent(attempt: Attempt, now: number): boolean {
    return attempt.phase !== 'over' && !attempt.paused && now - attempt.lastByteAt >= SUSPECT_MS;
  }

  #dead(engine: Engine): void {
    const now = performance.now();
    for (const { attempt } of this.#exchanges) {
      if (attempt !== null && attempt.engine.id === engine.id && this.#silent(attempt, now)) attempt.fail('dead');
    }
  }
}
