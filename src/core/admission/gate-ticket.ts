import type { HeldRequest } from './held-queue.js';
import type { Tenant } from './tenant-accounts.js';

/** Why a request was refused; the label `reason` of the metrics. */
export type ShedReason =
  /** When it came: those before it would take too long. */
  | 'no_time'
  /** It was held, and what was reckoned has come later. */
  | 'late'
  /** As many are held as may be. */
  | 'no_room'
  /** It was held, and gave way to a tenant that was given less. */
  | 'gave_way';

/** A request is refused. */
export interface Refusal {
  readonly reason: ShedReason;
  /** Whole seconds after which to come back, at least 1. */
  readonly retryAfter: number;
}

/** What becomes of a held request; exactly one of both, once, unless it has been withdrawn. */
export interface HeldOwner {
  proceed(): void;
  refuse(refusal: Refusal): void;
}

/** One request before the gate. */
export class GateTicket implements HeldRequest {
  before: HeldRequest | null = null;
  after: HeldRequest | null = null;
  since: number;
  /** It was refused before, and has come when it was told to. */
  returned = false;
  /** Monotonic milliseconds; null while it is not held. */
  heldAt: number | null = null;

  /**
   * @param key tells the request from others when its client comes back with it
   * @param arrivedAt monotonic milliseconds, as `deadline`, by which its first token is wanted
   */
  constructor(
    readonly owner: HeldOwner,
    readonly tenant: Tenant,
    readonly priority: number,
    readonly work: number,
    readonly key: () => number,
    readonly arrivedAt: number,
    readonly deadline: number,
    readonly order: number,
  ) {
    this.since = arrivedAt;
  }
}
