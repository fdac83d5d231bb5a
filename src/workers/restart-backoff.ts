/** The first wait, milliseconds; doubles with each further end in a row. */
const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
/** A worker that has served this long has not crashed at its start, milliseconds. */
const STEADY_MS = 60_000;

/**
 * How long to wait before a worker is started again, so that one that cannot live costs little. The
 * first end after a steady time is made good at once.
 */
export class RestartBackoff {
  #inARow = 0;

  /**
   * The wait for the successor of a worker that has ended, milliseconds.
   * @param lived how long it has lived, milliseconds
   */
  next(lived: number): number {
    if (lived >= STEADY_MS) this.#inARow = 0;
    const crashes = this.#inARow++;
    return crashes === 0 ? 0 : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(crashes - 1, 16));
  }
}
