/**
 * `applied`: what the file holds is in force now, put there or found to be there after an error.
 * `unchanged`: a look at the file found nothing that has not been dealt with.
 */
export type ReloadOutcome = 'applied' | 'rejected' | 'unchanged';

/** Counts what became of each look at the dynamic file. */
export abstract class ReloadListener {
  /** Must not throw. */
  abstract onReload(outcome: ReloadOutcome): void;
}
