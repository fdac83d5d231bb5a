import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import { isComputed } from '../core/cost/prompt-work.js';
import type { Engine } from '../core/engine.js';
import {
  EngineProgress,
  type ProgressVerdict,
  readEvery,
  type WaitingRequests,
} from '../core/engine-progress.js';
import type { Fleet } from '../core/fleet.js';
import { HealthService } from '../health/health.service.js';
import { EngineStatsScraper } from '../stats/engine-stats.scraper.js';
import { RequestStatsService } from '../stats/request-stats.service.js';
import type { Attempt } from './attempt.js';

/** One engine on whose progress requests depend. */
class Watched implements WaitingRequests {
  readonly progress = new EngineProgress();
  verdict: ProgressVerdict = 'idle';
  /** When its figures were last asked for. */
  askedAt = -Infinity;
  waiting = 0;
  computed = 0;
  streaming = 0;
  promptBytes = 0;
  oldest = Infinity;
  lastByteAt = -Infinity;

  constructor(public engine: Engine) {}

  reset(): void {
    this.waiting = this.computed = this.streaming = this.promptBytes = 0;
    this.oldest = Infinity;
    this.lastByteAt = -Infinity;
  }
}

/**
 * Finds engines that have requests and make no progress (`core/engine-progress.ts`), and ejects them until they make
 * progress again, or a request that is let through finds them serving. It is told of all attempts at each sweep, so that
 * nothing is done for a byte or a request.
 */
@Injectable()
export class StallWatch {
  /** Engines with requests in flight, and those that are frozen; bounded by the fleet and those requests. */
  readonly #watched = new Map<string, Watched>();
  #stalled = 0;

  constructor(
    private readonly settings: SettingsStore,
    private readonly scraper: EngineStatsScraper,
    private readonly stats: RequestStatsService,
    private readonly health: HealthService,
  ) {}

  /** `--stall-timeout` is not 0. */
  get on(): boolean {
    return this.settings.current.stallTimeout > 0;
  }

  /** One attempt that the sweep meets. @param bodyBytes of its request */
  see(attempt: Attempt, path: string, bodyBytes: number): void {
    const { engine, startedAt, phase } = attempt;
    let watched = this.#watched.get(engine.id);
    if (watched === undefined) this.#watched.set(engine.id, (watched = new Watched(engine)));
    const computed = isComputed(path);
    if (computed && attempt.progressAt > watched.lastByteAt) watched.lastByteAt = attempt.progressAt;
    // What the client does not take, the engine cannot send.
    if (attempt.paused) return;
    watched.waiting++;
    if (startedAt < watched.oldest) watched.oldest = startedAt;
    if (!computed) return;
    watched.computed++;
    if (phase !== 'relaying') watched.promptBytes = Math.max(watched.promptBytes, bodyBytes);
    else if (attempt.streams) watched.streaming++;
  }

  /** Ends a sweep at `now`, monotonic milliseconds; true when at least one engine is stalled. */
  judge(now: number): boolean {
    const timeoutMs = this.settings.current.stallTimeout * 1_000;
    this.#stalled = 0;
    for (const [id, watched] of this.#watched) {
      const { progress } = watched;
      progress.progressed(this.stats.progressAt(id));
      const reading = this.scraper.readingOf(id);
      if (reading !== null && progress.read(reading)) this.tell(id, progress.lastAt);
      const before = watched.verdict;
      watched.verdict = progress.judge(watched, now, timeoutMs);
      this.#heed(watched, before, now, timeoutMs);
      if (watched.waiting === 0 && watched.verdict !== 'frozen') this.#watched.delete(id);
      watched.reset();
    }
    return this.#stalled > 0;
  }

  /** Whether the engine is stalled or frozen by the last sweep. */
  verdictOn(engine: Engine): ProgressVerdict {
    return this.#watched.get(engine.id)?.verdict ?? 'idle';
  }

  /** An engine made progress on a request of another process on the port. */
  heedProgress(engineId: string, at: number): void {
    this.#watched.get(engineId)?.progress.progressed(at);
  }

  retain(fleet: Fleet): void {
    for (const [id, { verdict }] of this.#watched)
      if (verdict === 'frozen' && fleet.byId(id) === undefined) this.#watched.delete(id);
  }

  /** Its figures were read, so somebody may doubt it: when it last made progress here. */
  protected tell(_engineId: string, _at: number): void {}

  #heed(watched: Watched, before: ProgressVerdict, now: number, timeoutMs: number): void {
    const { engine, verdict } = watched;
    const stalled = verdict === 'stalled' || verdict === 'frozen';
    if (stalled) {
      this.#stalled++;
      // Later failures are those of its attempts.
      if (before !== 'stalled' && before !== 'frozen') this.health.failed(engine, 'stalled', now, now);
    } else if (before === 'frozen' || (before === 'stalled' && verdict === 'moving')) {
      // It has computed since, or goes on where it had been stopped.
      this.health.answered(engine, 'output', now, now);
    }
    if (!stalled && verdict !== 'suspect') return;
    if (now - watched.askedAt < readEvery(timeoutMs)) return;
    watched.askedAt = now;
    this.scraper.hurry(engine.id);
  }
}
