import type { GateTicket, HeldOwner, Refusal } from '../../core/admission/gate-ticket.js';
import type { TenantAccounts } from '../../core/admission/tenant-accounts.js';
import { overloaded, type RouterError } from '../../core/errors.js';
import type { RawHeaders } from '../../core/headers.js';
import type { RequestFacts } from '../../core/request-facts.js';
import type { RouterMetrics } from '../../metrics/router-metrics.js';
import type { ClientAnswer, LeaveListener } from '../client-answer.js';
import type { RequestBody } from '../request-body.js';
import type { GatedModel } from './gated-model.js';

/** A request that asks to be sent to an engine. */
export interface Applicant {
  readonly facts: RequestFacts;
  readonly headers: RawHeaders;
  readonly body: RequestBody;
  readonly answer: ClientAnswer;
  /** Monotonic milliseconds. */
  readonly receivedAt: number;
  /** When its whole answer must have ended, monotonic milliseconds; Infinity: the client does not say. */
  readonly endsAt: number;
  /** The name of the key that it came with; null where no key is asked for. */
  readonly principal: string | null;
  /** `priority` of its body. */
  readonly priority: number | null;
  /** Chooses an engine and sends it. @throws {RouterError} when there is none */
  send(): void;
  /** Answers it with an error; lets go of its body. */
  refuse(error: unknown): void;
}

/** A request between its arrival at the gate and its way to an engine. While it is held its client may leave. */
export class HeldCall implements HeldOwner, LeaveListener {
  ticket!: GateTicket;

  constructor(
    private readonly applicant: Applicant,
    private readonly model: GatedModel,
    private readonly tenants: TenantAccounts,
    private readonly metrics: RouterMetrics,
  ) {}

  proceed(): void {
    const { heldAt, tenant } = this.ticket;
    if (heldAt !== null) this.metrics.released(this.model.name, (performance.now() - heldAt) / 1e3);
    this.#send();
    // Its attempt has begun an account of its own.
    this.tenants.end(tenant);
  }

  /** Sends it although the gate has not decided: there is none any more. */
  proceedFreely(): void {
    this.#send();
  }

  refuse({ reason, retryAfter }: Refusal): void {
    this.metrics.shed(this.model.name, reason);
    this.fail(overloaded(this.model.name, retryAfter));
  }

  fail(error: RouterError): void {
    this.applicant.refuse(error);
  }

  leave(): void {
    this.model.gate.withdraw(this.ticket);
    this.applicant.body.release();
    this.metrics.clientLeft();
  }

  #send(): void {
    const { applicant } = this;
    // An answer that waits behind others on its connection does not hear of it.
    if (applicant.answer.left) {
      applicant.body.release();
      applicant.answer.span?.end();
      return;
    }
    try {
      applicant.send();
    } catch (error) {
      applicant.refuse(error);
    }
  }
}
