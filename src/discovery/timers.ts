import { Injectable } from '@nestjs/common';

/** Clock, timers and chance of the discovery, injected so that tests decide what time it is. */
export abstract class Timers {
  /** Milliseconds since the epoch. */
  abstract now(): number;
  /** A number in [0, 1). */
  abstract random(): number;
  /** Runs once after `ms`; returns what cancels it. Never keeps the process alive. */
  abstract after(ms: number, run: () => void): () => void;
}

/** Node runs a timer of more milliseconds at once. */
const LONGEST = 2 ** 31 - 1;

/** The real ones. */
@Injectable()
export class SystemTimers extends Timers {
  override now(): number {
    return Date.now();
  }

  override random(): number {
    return Math.random();
  }

  override after(ms: number, run: () => void): () => void {
    const timer = setTimeout(run, Math.min(ms, LONGEST));
    timer.unref();
    return () => clearTimeout(timer);
  }
}
