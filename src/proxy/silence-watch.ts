import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import type { AttemptCause } from '../core/attempt-failure.js';
import type { Deadlines } from '../core/deadlines.js';
import type { Engine } from '../core/engine.js';
import { MemberList } from '../core/member-list.js';
import { HealthService } from '../health/health.service.js';
import type { Attempt } from './attempt.js';
import type { Exchange } from './exchange.js';
import { Hedging } from './hedging.js';
import { PortProbe } from './port-probe.js';
import { StallWatch } from './stall-watch.js';

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
  readonly #exchanges = new MemberList<Exchange>();
  readonly #probe = new PortProbe((engine) => this.#dead(engine));
  #timer: NodeJS.Timeout | null = null;
  #sweptAt = 0;

  constructor(
    private readonly settings: SettingsStore,
    private readonly health: HealthService,
    private readonly stalls: StallWatch,
    private readonly hedging: Hedging,
  ) {}

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
    this.#exchanges.remove(exchange);
  }

  /** Fails every exchange that is still under way, at the end of a shutdown. */
  failAll(): void {
    for (const exchange of this.#exchanges) {
      exchange.hedge?.fail('shutdown');
      if (exchange.attempt === null) exchange.wait(performance.now(), 'shutdown');
      else exchange.attempt.fail('shutdown');
    }
  }

  /** `now` in monotonic milliseconds. */
  sweep(now: number): void {
    this.#sweptAt = now;
    const stalls = this.stalls.on;
    for (const exchange of this.#exchanges) {
      if (exchange.abandoned) exchange.leave();
      if (exchange.attempt === null) {
        if (exchange.retryAt > 0) exchange.wait(now, this.#pastEnd(exchange, now));
        continue;
      }
      if (exchange.hedge !== null) this.#look(exchange, exchange.hedge, now);
      if (exchange.attempt !== null) this.#look(exchange, exchange.attempt, now);
    }
    if (stalls && this.stalls.judge(now)) this.#moveOn(now);
  }

  #look(exchange: Exchange, attempt: Attempt, now: number): void {
    const late = this.#late(exchange, attempt, now);
    if (late !== null) attempt.fail(late);
    else if (this.health.draining > 0 && this.health.state(attempt.engine.id, now) === 'gone')
      attempt.fail('drain_timeout');
    else {
      if (this.#silent(attempt, now)) this.#probe.suspect(attempt.engine, now);
      if (this.stalls.on) this.stalls.see(attempt, exchange.facts.path, exchange.bodyBytes);
      if (this.hedging.on && this.#hedges(exchange, attempt, now)) exchange.startHedge(now);
    }
  }

  /** Whether the first token of a stream is so late that a second engine is worth it. */
  #hedges({ facts, predicted }: Exchange, attempt: Attempt, now: number): boolean {
    const waits = facts.stream && (attempt.phase === 'connecting' || attempt.phase === 'holding');
    return waits && now - attempt.startedAt > this.hedging.after(facts.model, predicted);
  }

  #pastEnd({ startedAt, deadlines }: Exchange, now: number): AttemptCause | null {
    if (now - startedAt > this.settings.current.totalTimeout * 1_000) return 'total_timeout';
    return deadlines !== null && now >= deadlines.endsAt ? 'request_deadline' : null;
  }

  #late(exchange: Exchange, attempt: Attempt, now: number): AttemptCause | null {
    const { facts, deadlines } = exchange;
    const { idleTimeout, firstByteTimeout } = this.settings.current;
    const past = this.#pastEnd(exchange, now) ?? (deadlines && deadlinePast(deadlines, attempt, now));
    if (past !== null) return past;
    if (hasBegun(attempt)) {
      const idle = !attempt.paused && now - attempt.lastByteAt > idleTimeout * 1_000;
      return idle ? 'idle_timeout' : null;
    }
    const streams = facts.stream || attempt.streams;
    const limit = firstByteTimeout ?? (streams ? FIRST_FRAME_SECONDS : Infinity);
    return now - attempt.startedAt > limit * 1_000 ? 'first_byte_timeout' : null;
  }

  /** What waits on engines that make no progress goes elsewhere. */
  #moveOn(now: number): void {
    for (const exchange of this.#exchanges) {
      const { attempt, hedge } = exchange;
      if (hedge !== null) this.#moveOnFrom(exchange, hedge, now);
      if (attempt !== null) this.#moveOnFrom(exchange, attempt, now);
    }
  }

  #moveOnFrom(exchange: Exchange, attempt: Attempt, now: number): void {
    const verdict = this.stalls.verdictOn(attempt.engine);
    if (attempt.phase === 'over' || (verdict !== 'stalled' && verdict !== 'frozen')) return;
    exchange.moveOn(attempt, now, verdict === 'frozen');
  }

  #silent(attempt: Attempt, now: number): boolean {
    return attempt.phase !== 'over' && !attempt.paused && now - attempt.lastByteAt >= SUSPECT_MS;
  }

  #dead(engine: Engine): void {
    for (const { attempt, hedge } of this.#exchanges) {
      for (const one of [hedge, attempt])
        if (one?.engine.id === engine.id && this.#silent(one, this.#sweptAt)) one.fail('dead');
    }
  }
}

/** A stream has begun with its first committing frame, another answer with its head. */
const hasBegun = ({ phase, streams }: Attempt): boolean =>
  phase === 'relaying' || (phase === 'holding' && !streams);

/** Which of the client's own limits is past; null for none. */
function deadlinePast(deadlines: Deadlines, attempt: Attempt, now: number): AttemptCause | null {
  const { connect, firstByte, idle } = deadlines;
  if (hasBegun(attempt)) {
    return !attempt.paused && now - attempt.lastByteAt >= idle ? 'idle_deadline' : null;
  }
  const age = now - attempt.startedAt;
  if (age >= connect && !attempt.connected) return 'connect_deadline';
  return age >= firstByte ? 'first_byte_deadline' : null;
}
