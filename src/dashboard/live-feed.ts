import type { ServerResponse } from 'node:http';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { reasonOf } from '../config/settings-error.js';
import { RouterError } from '../core/errors.js';
import { LiveChanges } from '../core/live/live-changes.js';
import type { LiveNews } from '../core/live/live-view.js';
import { HealthService } from '../health/health.service.js';
import { DrainState } from '../proxy/drain-state.js';
import { LiveSource } from './live-source.js';

/** Pages that each process serves at the same time. */
export const MOST_VIEWERS = 20;
/** Milliseconds between two frames, and the least where an engine has turned: that is to be seen at once. */
const FRAME_MS = 1_000;
const SOON_MS = 250;
/** A page that takes nothing for so long is let go of, milliseconds. */
const PATIENCE_MS = 10_000;
/** What a page waits before it connects again, milliseconds, as far as it goes by the stream. */
const RETRY = 'retry: 2000\n\n';

interface Viewer {
  readonly response: ServerResponse;
  /** It has to be told everything. */
  fresh: boolean;
  /** Since when it does not take what it was sent, monotonic milliseconds; null: it does. */
  behindSince: number | null;
  /** A frame was left out meanwhile. */
  missed: boolean;
}

/**
 * Tells the open pages what has changed, once a second, as server-sent events. Without a page nothing runs. A page that
 * does not keep up gets no frame until it has taken the one before, and then everything anew: at most one frame waits for
 * each. Bounded by `MOST_VIEWERS`.
 */
@Injectable()
export class LiveFeed implements OnApplicationShutdown {
  readonly #log = new Logger('Dashboard');
  readonly #viewers = new Set<Viewer>();
  readonly #changes = new LiveChanges();
  #settingsMark = -1;
  #running = false;
  #timer: NodeJS.Timeout | null = null;
  /** When the next frame is due, monotonic milliseconds. */
  #dueAt = Infinity;

  constructor(
    private readonly source: LiveSource,
    private readonly drain: DrainState,
    health: HealthService,
  ) {
    health.onTurn(() => this.#hurry());
  }

  /** Open pages. */
  get viewers(): number {
    return this.#viewers.size;
  }

  /** @throws {RouterError} 503 when there are as many pages as may be, or the router goes down */
  check(): void {
    if (this.#viewers.size < MOST_VIEWERS && !this.drain.draining) return;
    const message = this.drain.draining
      ? 'The router is shutting down.'
      : `As many live pages are open as may be (${MOST_VIEWERS} for each process).`;
    throw new RouterError(503, 'overloaded', message, null, 5);
  }

  /** Tells what happens from now on to a response of which the head has been written. */
  join(response: ServerResponse): void {
    const viewer: Viewer = { response, fresh: true, behindSince: null, missed: false };
    this.#viewers.add(viewer);
    response.on('close', () => this.#viewers.delete(viewer));
    response.on('error', () => this.#viewers.delete(viewer));
    response.on('drain', () => {
      viewer.behindSince = null;
      viewer.fresh ||= viewer.missed;
      viewer.missed = false;
    });
    response.write(RETRY);
    if (this.#running) return;
    this.#running = true;
    void this.#frame();
  }

  onApplicationShutdown(): void {
    this.#endAll();
  }

  /** One frame for all; never rejects. */
  async #frame(): Promise<void> {
    const began = performance.now();
    if (this.drain.draining) this.#endAll();
    if (this.#viewers.size === 0) {
      this.#running = false;
      this.#changes.clear();
      this.#settingsMark = -1;
      return;
    }
    try {
      await this.#tell(began);
    } catch (error) {
      if (!(error instanceof RouterError)) this.#log.error(`the live page: ${reasonOf(error)}`);
      // A comment shows the page that somebody is there.
      for (const viewer of this.#viewers) this.#write(viewer, ': late\n\n', began);
    }
    this.#due(began + FRAME_MS);
  }

  #due(at: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#dueAt = at;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        void this.#frame();
      },
      Math.max(0, at - performance.now()),
    );
    this.#timer.unref();
  }

  /** Brings the next frame forward, unless it is under way. */
  #hurry(): void {
    const soon = performance.now() + SOON_MS;
    if (this.#timer !== null && soon < this.#dueAt) this.#due(soon);
  }

  async #tell(now: number): Promise<void> {
    const view = await this.source.view();
    const renewed = view.settingsMark !== this.#settingsMark;
    const fresh = [...this.#viewers].some((viewer) => viewer.fresh);
    const past = renewed || fresh ? await this.source.past() : null;
    this.#settingsMark = view.settingsMark;
    const next = frameOf(this.#changes.next(view, renewed ? (past?.settings ?? null) : null));
    const first = past === null ? '' : frameOf(this.#changes.first(past));
    for (const viewer of this.#viewers) {
      // One that has come since waits for the next frame.
      if (viewer.fresh && past === null) continue;
      this.#write(viewer, viewer.fresh ? first : next, now);
    }
  }

  #write(viewer: Viewer, frame: string, now: number): void {
    const { response } = viewer;
    if (viewer.behindSince !== null) {
      viewer.missed = true;
      if (now - viewer.behindSince > PATIENCE_MS) response.destroy();
      return;
    }
    if (frame.startsWith('data')) viewer.fresh = false;
    if (!response.write(frame)) viewer.behindSince = now;
  }

  #endAll(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    for (const { response } of this.#viewers) response.end();
    this.#viewers.clear();
  }
}

const frameOf = (news: LiveNews): string => `data: ${JSON.stringify(news)}\n\n`;
