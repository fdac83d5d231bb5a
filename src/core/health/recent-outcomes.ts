import { SlidingWindow } from '../sliding-window.js';

/** How long outcomes are remembered, milliseconds. */
export const REMEMBERED = 10_000;
/** Failures in a row that are too many, and where fewer than `SOME` of the last outcomes failed. */
export const FAILURES_IN_A_ROW = 3;
const FAILURES_IN_A_LONG_ROW = 10;
const SOME = 0.2;
/** The share of failures that is too large, from so many outcomes on. */
const LARGE_SHARE = 0.5;
const OUTCOMES = 10;

/**
 * What has become of an engine's last requests, from the first that failed on. One client whose requests always fail makes
 * a few failures in a row now and then where many others are served: then a row has to be longer. Fixed in size.
 */
export class RecentOutcomes {
  #inARow = 0;
  /** A failure has the value 1. */
  readonly #window = new SlidingWindow(REMEMBERED);

  /** `now` in monotonic milliseconds. */
  failed(now: number): void {
    this.#inARow++;
    this.#window.add(now, 1);
  }

  answered(now: number): void {
    this.#inARow = 0;
    this.#window.add(now, 0);
  }

  /** Of the outcomes that are remembered, 0 to 1. */
  failedShare(now: number): number {
    const outcomes = this.#window.count(now);
    return outcomes === 0 ? 0 : this.#window.sum(now) / outcomes;
  }

  /** Whether the engine fails too often to be sent requests like any other. */
  failTooOften(now: number): boolean {
    const share = this.failedShare(now);
    if (this.#inARow >= (share < SOME ? FAILURES_IN_A_LONG_ROW : FAILURES_IN_A_ROW)) return true;
    return share >= LARGE_SHARE && this.#window.count(now) >= OUTCOMES;
  }
}
