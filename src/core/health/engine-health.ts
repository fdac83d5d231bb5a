import { ejectionLength, FIRST_EJECTION } from './ejection-length.js';
import { cures, FAILURE_RULES, type HealthCause, newsFrom, type Proof } from './failure-rules.js';
import type { HealthState } from './health-state.js';
import { RecentOutcomes, REMEMBERED } from './recent-outcomes.js';

/** How long an engine is suspect after a failure, milliseconds. */
export const SUSPICION = REMEMBERED;
/** The share of requests that an engine gets grows from nothing to all within this time after its return, milliseconds. */
export const SLOW_START = 10_000;
/** The least share of requests of an engine that gets any. */
const LEAST_SHARE = 0.1;
/** An engine that has been back this long has no ejections behind it, milliseconds. */
const FORGIVEN = 60_000;

/** What the rest of the fleet and chance have to say at a failure. */
export interface EjectionContext {
  /** Whether one engine more may be ejected for what is no sure sign. */
  readonly room: () => boolean;
  /** Gives numbers in [0, 1). */
  readonly random: () => number;
}

/**
 * The state machine of one engine's health; ARCHITECTURE.md has its picture. Nothing happens by itself: what time
 * changes is seen when somebody looks. All times are monotonic milliseconds, all steps O(1), its size is fixed.
 */
export class EngineHealth {
  #cause: HealthCause | null = null;
  #failedAt = -Infinity;
  #outcomes = new RecentOutcomes();
  /** It would be ejected if there were room. */
  #spared = false;
  /** Ejected or probing, and since when and until when it is ejected. */
  #out = false;
  #ejectedAt = -Infinity;
  #ejectedUntil = -Infinity;
  /** Ejections in a row. */
  #ejections = 0;
  /** When the one request was sent that finds out whether the engine serves again. */
  #probe: number | null = null;
  #backAt = -Infinity;
  #asleepSince: number | null = null;
  /** An operator has taken it out. */
  #drained = false;
  /** When the engine's last requests are ended; null while it is of the fleet. */
  #drainsUntil: number | null = null;

  state(now: number): HealthState {
    if (this.#drainsUntil !== null) return now < this.#drainsUntil ? 'draining' : 'gone';
    if (this.#drained) return 'drained';
    if (this.#asleepSince !== null) return 'asleep';
    if (this.#out) return now < this.#ejectedUntil ? 'ejected' : 'probing';
    return now < this.#failedAt + SUSPICION ? 'suspect' : 'ready';
  }

  /** What the last failure was. */
  get cause(): HealthCause | null {
    return this.#cause;
  }

  /** Ejected or probing. */
  get out(): boolean {
    return this.#out;
  }

  get asleep(): boolean {
    return this.#asleepSince !== null;
  }

  get drained(): boolean {
    return this.#drained;
  }

  get draining(): boolean {
    return this.#drainsUntil !== null;
  }

  /** Its last ejection: when it began and ends, and the how-manieth in a row it is. */
  get ejection(): { readonly at: number; readonly until: number; readonly inARow: number } {
    return { at: this.#ejectedAt, until: this.#ejectedUntil, inARow: this.#ejections };
  }

  /** Out for a sure sign: a request there gets no answer, where one to another engine that is out may. */
  get surelyOut(): boolean {
    return this.#out && this.#cause !== null && FAILURE_RULES[this.#cause].weight === 'sure';
  }

  /** Whether a request may be sent there now. */
  mayTry(now: number): boolean {
    if (this.#drainsUntil !== null || this.#asleepSince !== null || this.#drained) return false;
    return !this.#out || (this.#probe === null && now >= this.#ejectedUntil);
  }

  /**
   * Its share of the requests that it would get as an engine like any other: grows to 1 in a slow start, and is less while
   * it fails often and is not ejected for want of room.
   */
  share(now: number): number {
    if (this.#out) return 1;
    const begun = (now - this.#backAt) / SLOW_START;
    const served = this.#isSpared(now) ? 1 - this.#outcomes.failedShare(now) : 1;
    return Math.min(1, Math.max(LEAST_SHARE, Math.min(begun, served)));
  }

  /** It gets fewer requests than the others, or none. */
  isLimited(now: number): boolean {
    return (
      this.#out || this.asleep || this.#drained || now < this.#backAt + SLOW_START || this.#isSpared(now)
    );
  }

  /** Nothing is left to be remembered. */
  isForgettable(now: number): boolean {
    const quiet = now >= this.#failedAt + SUSPICION && now >= this.#backAt + FORGIVEN;
    return quiet && !this.#out && !this.asleep && !this.drained && !this.draining;
  }

  /** A request goes there. @returns whether it is the one of an engine that is probing */
  sent(at: number): boolean {
    if (!this.#out || this.#probe !== null || at < this.#ejectedUntil) return false;
    this.#probe = at;
    return true;
  }

  /** The request that was sent at `sentAt` has ended, whatever became of it. */
  ended(sentAt: number): void {
    if (this.#probe === sentAt) this.#probe = null;
  }

  /**
   * A request or a probe that was sent at `sentAt` has failed.
   * @returns whether the engine is ejected by that, once more or anew
   */
  failed(cause: HealthCause, sentAt: number, now: number, context: EjectionContext): boolean {
    const { weight } = FAILURE_RULES[cause];
    const from = newsFrom(cause, sentAt, now);
    // What was sent before the engine came back tells of the time before.
    if (weight === 'none' || from < this.#backAt) return false;
    const sure = weight === 'sure';
    if (this.#out) {
      const probed = this.#probe === sentAt;
      if (probed || (sure && !this.surelyOut)) this.#cause = cause;
      // What fails beside the probe was sent before the ejection, or for want of a better engine.
      if (probed) this.#eject(now, context.random());
      else if (sure && from > this.#ejectedAt) this.#stay(now);
      return probed;
    }
    this.#cause = cause;
    this.#failedAt = now;
    this.#outcomes.failed(now);
    if (!sure && weight !== 'once' && !this.#outcomes.failTooOften(now)) return false;
    this.#spared = !sure && !context.room();
    if (this.#spared) return false;
    this.#eject(now, context.random());
    return true;
  }

  /**
   * An answer came to what was sent at `sentAt`. Ends an ejection only when it was sent after it began.
   * @returns whether the engine is back by that
   */
  answered(proof: Proof, sentAt: number, now: number): boolean {
    this.ended(sentAt);
    const woken = this.#asleepSince !== null && proof === 'output' && sentAt > this.#asleepSince;
    if (woken) this.#asleepSince = null;
    const cured = this.#cause === null || cures(proof, this.#cause);
    if (this.#out) {
      if (!cured || sentAt <= this.#ejectedAt) return false;
      this.#comeBack(now);
      return true;
    }
    if (woken) this.#backAt = now;
    if (cured) this.#outcomes.answered(now);
    return woken;
  }

  /** What the engine tells of its sleep; null: it does not tell. @returns whether that is new */
  slept(asleep: boolean | null, now: number): boolean {
    if ((asleep === true) === this.asleep) return false;
    this.#asleepSince = asleep === true ? now : null;
    if (asleep !== true) this.#backAt = now;
    return true;
  }

  /** An operator takes the engine out, or gives it back, after which it has a slow start. @returns whether that is new */
  setDrained(drained: boolean, now: number): boolean {
    if (drained === this.#drained) return false;
    this.#drained = drained;
    if (!drained) this.#backAt = now;
    return true;
  }

  /** The engine is no longer of the fleet; its requests may go on until then. Null: it is of the fleet again. */
  drain(until: number | null): void {
    this.#drainsUntil = until;
  }

  /** Another process has ejected the engine. */
  learnEjection(cause: HealthCause, at: number, until: number, inARow: number): void {
    if (at < this.#backAt) return;
    this.#cause = cause;
    this.#out = true;
    this.#ejectedAt = Math.max(at, this.#ejectedAt);
    this.#ejectedUntil = Math.max(until, this.#ejectedUntil);
    this.#ejections = Math.max(inARow, this.#ejections);
  }

  /** Another process has sent the one request; should it never tell how that went, it is another's turn later. */
  learnProbe(at: number): void {
    if (this.#out && at > this.#ejectedAt) this.#stay(at);
  }

  /** Another process has had an answer at `at` to what it sent at `sentAt`. */
  learnReturn(sentAt: number, at: number): void {
    if (this.#out && sentAt > this.#ejectedAt) this.#comeBack(at);
  }

  #isSpared(now: number): boolean {
    return this.#spared && now < this.#failedAt + SUSPICION;
  }

  #eject(now: number, chance: number): void {
    if (!this.#out && now >= this.#backAt + FORGIVEN) this.#ejections = 0;
    this.#ejectedAt = now;
    this.#ejectedUntil = now + ejectionLength(this.#ejections, chance);
    this.#ejections = Math.min(this.#ejections + 1, 32);
    this.#out = true;
    this.#probe = null;
  }

  #stay(at: number): void {
    this.#ejectedUntil = Math.max(this.#ejectedUntil, at + FIRST_EJECTION);
  }

  #comeBack(now: number): void {
    this.#out = false;
    this.#probe = null;
    this.#failedAt = -Infinity;
    this.#outcomes = new RecentOutcomes();
    this.#spared = false;
    this.#backAt = now;
  }
}
