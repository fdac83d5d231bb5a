import type { HealthCause } from './failure-rules.js';

/**
 * What one process tells the others of an engine. `suspect` asks whoever has an answer of it to say so (`answered`).
 * All times are monotonic milliseconds of the process that reads them.
 */
export type HealthNews =
  | { readonly what: 'suspect'; readonly at: number }
  | { readonly what: 'answered'; readonly at: number }
  | {
      readonly what: 'ejected';
      readonly cause: HealthCause;
      readonly at: number;
      readonly until: number;
      readonly inARow: number;
    }
  | { readonly what: 'probing'; readonly at: number }
  | { readonly what: 'drained' | 'returned'; readonly at: number }
  | { readonly what: 'back'; readonly sentAt: number; readonly at: number };
