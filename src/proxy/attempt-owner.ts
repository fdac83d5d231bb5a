import type { AttemptOutcome } from '../core/attempt-event.js';
import type { AttemptCause } from '../core/attempt-failure.js';

/** `connecting`: no head yet. `holding`: a head, not committed. `relaying`: committed. */
export type AttemptPhase = 'connecting' | 'holding' | 'relaying' | 'over';

/** What an attempt asks of and tells the exchange it belongs to. */
export interface AttemptOwner<Attempt> {
  /**
   * Whether another engine is to be tried after a failure that came before commit.
   * @param answered the engine has given a whole answer, which the client could be given
   */
  triesAnother(cause: AttemptCause, answered: boolean): boolean;
  /** Another attempt of the request is under way. */
  readonly racing: boolean;
  /** The attempt is the one whose answer the client gets; called before the first byte of it. */
  committed(attempt: Attempt): void;
  /** Whether an answer that broke off after commit needs no end from here: another engine goes on, or it is complete. */
  goesOn(cause: AttemptCause): boolean;
  /** Called per relayed piece of a stream; `seconds` since the piece before. */
  interToken(seconds: number): void;
  resent(): void;
  finished(attempt: Attempt, outcome: AttemptOutcome, cause: AttemptCause | null): void;
}
