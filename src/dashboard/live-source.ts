import type { LivePast, LiveView } from '../core/live/live-view.js';

/** Tells what the whole router shows now, whichever process is asked. */
export abstract class LiveSource {
  /** @throws {RouterError} 503 when the other processes do not answer in time */
  abstract view(): Promise<LiveView>;

  /** What came before, and what seldom changes. @throws {RouterError} as `view` */
  abstract past(): Promise<LivePast>;
}
