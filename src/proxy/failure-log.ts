import { Injectable, Logger } from '@nestjs/common';

/** Lines in one second; what comes on top is counted and told with the next line. */
const LINES_PER_SECOND = 10;

/** One line for each request that no engine could answer whole, so that its id leads to the reason; an outage does not flood the log. */
@Injectable()
export class FailureLog {
  readonly #log = new Logger('Proxy');
  #second = 0;
  #lines = 0;
  #left = 0;

  /** @param now monotonic milliseconds */
  write(line: string, now: number): void {
    const second = Math.floor(now / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#lines = 0;
    }
    if (this.#lines === LINES_PER_SECOND) {
      this.#left++;
      return;
    }
    this.#lines++;
    const more = this.#left > 0 ? ` (${this.#left} more before this were not logged)` : '';
    this.#left = 0;
    this.#log.warn(line + more);
  }
}
