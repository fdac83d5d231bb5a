import type { AttemptCause } from './attempt-failure.js';

/** How often the only engine of a model is tried again. */
const TRIES = 3;
/** The longest wait before the first of them, milliseconds; twice as long before each further one. */
const FIRST_WAIT = 500;

const NOT_REACHED: ReadonlySet<AttemptCause> = new Set<AttemptCause>(['refused', 'unresolved', 'no_socket']);
const BROKEN: ReadonlySet<AttemptCause> = new Set<AttemptCause>(['reset', 'dead']);

/** The request may have reached the engine, and be what broke it: trying it again there takes from the budget. */
export const mayHaveReached = (cause: AttemptCause): boolean => BROKEN.has(cause);

/**
 * How long to wait before a request that got nothing of an answer is sent again to the engine that failed it, where no
 * other one serves its model: a container that is started anew is there in a moment, and a connection may have broken
 * alone. After a timeout more load would make things worse. Half of each wait is chance, so that requests that
 * failed together do not come back together (exponential back-off with jitter).
 * @param tries how often that was done for this request before
 * @param chance a number in [0, 1)
 * @returns milliseconds; null: not again
 */
export function backoff(cause: AttemptCause, tries: number, chance: number): number | null {
  if (tries >= TRIES || !(NOT_REACHED.has(cause) || BROKEN.has(cause))) return null;
  return FIRST_WAIT * 2 ** tries * (0.5 + 0.5 * chance);
}
