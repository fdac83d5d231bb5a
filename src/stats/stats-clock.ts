import { Injectable } from '@nestjs/common';

/** The clock of the statistics: the one that stamps attempt events. Tests bring their own. */
@Injectable()
export class StatsClock {
  /** Monotonic milliseconds, as `AttemptEvent.at`. */
  now(): number {
    return performance.now();
  }
}
