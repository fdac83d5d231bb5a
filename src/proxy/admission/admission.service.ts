import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { SettingsStore } from '../../config/settings-store.js';
import { GateTicket } from '../../core/admission/gate-ticket.js';
import { type GateSettings, ModelGate } from '../../core/admission/model-gate.js';
import { priorityOf } from '../../core/admission/priority.js';
import { TenantAccounts } from '../../core/admission/tenant-accounts.js';
import type { AttemptEvent } from '../../core/attempt-event.js';
import { isComputed } from '../../core/cost/prompt-work.js';
import type { RouterError } from '../../core/errors.js';
import { headerValue } from '../../core/headers.js';
import type { GateFigures } from '../../metrics/admission-metrics.js';
import { RouterMetrics } from '../../metrics/router-metrics.js';
import { atEndOfTurn } from '../../scheduling/end-of-turn.js';
import { LifetimeSeries } from '../../stats/lifetime-series.js';
import { CandidatesService } from '../candidates.service.js';
import { type Applicant, HeldCall } from './held-call.js';
import { GatedModel, type GatedRequest } from './gated-model.js';
import { requestKey } from './request-key.js';
import { tenantOf } from './tenant-of.js';
import { firstTokenDeadline } from './first-token-deadline.js';

/** How often gates look at what has changed, milliseconds. */
const PASS_MS = 100;

/**
 * Lets requests through to the engines of their model while their first token can come within `--ttft-target`: one
 * gate for each model. Without that setting nothing is here and nothing is asked.
 *
 * Bounds: the models of the fleet, and `--max-held-requests` for each.
 */
@Injectable()
export class AdmissionService implements OnApplicationShutdown {
  readonly #models = new Map<string, GatedModel>();
  readonly #tenants = new TenantAccounts();
  #timer: NodeJS.Timeout | null = null;
  #order = 0;
  #endsTurn = false;

  constructor(
    private readonly settings: SettingsStore,
    private readonly candidates: CandidatesService,
    private readonly series: LifetimeSeries,
    private readonly metrics: RouterMetrics,
  ) {}

  onApplicationShutdown(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  /** Whether requests have to ask. */
  get on(): boolean {
    return this.settings.current.ttftTarget !== null;
  }

  /** Requests that are held, of all models. */
  get held(): number {
    if (this.#models.size === 0) return 0;
    let held = 0;
    for (const { gate } of this.#models.values()) held += gate.held;
    return held;
  }

  /** What there is to be seen of each gate. */
  *figures(): Generator<GateFigures> {
    for (const [model, { gate }] of this.#models) {
      yield { model, held: gate.held, drainSeconds: gate.drainSeconds, limit: gate.limit.value };
    }
  }

  /** Sends the request on now or later, or refuses it: one of `send` and `refuse` is called, unless its client leaves. */
  admit(applicant: Applicant): void {
    const { facts, headers, body, receivedAt, endsAt, principal, priority } = applicant;
    const { ttftTarget, tpotTarget, tenantHeader } = this.settings.current;
    // What no engine serves is answered where engines are selected.
    if (ttftTarget === null || !isComputed(facts.path) || !this.candidates.isServed(facts.model)) {
      applicant.send();
      return;
    }
    const now = performance.now();
    const model = this.#modelOf(facts.model);
    const name = tenantOf(headers, tenantHeader, principal);
    const tenant = this.#tenants.of(name, now);
    this.#tenants.begin(tenant);
    const reckoned = model.habits.reckon(body.length);
    const work = reckoned.prompt + 2 * reckoned.generated;
    const gated: GatedRequest = { model, tenant, bytes: body.length, reckoned, open: null };
    facts.gated = gated;
    const call = new HeldCall(applicant, model, this.#tenants, this.metrics);
    let key: number | null = null;
    const ticket = new GateTicket(
      call,
      tenant,
      priorityOf(headerValue(headers, 'x-vllm-priority'), priority),
      work,
      () => (key ??= requestKey(name, facts.path, body)),
      receivedAt,
      firstTokenDeadline(receivedAt, endsAt, ttftTarget, reckoned.generated * tpotTarget),
      this.#order++,
    );
    call.ticket = ticket;
    const verdict = model.gate.arrive(ticket, now, this.#settings(ttftTarget));
    if (verdict === 'go') call.proceed();
    else if (verdict === 'held') applicant.answer.tell(call);
    else call.refuse(verdict);
    this.#timer ??= setInterval(() => this.pass(performance.now()), PASS_MS).unref();
  }

  /** Takes in one event of an attempt. */
  observe(event: AttemptEvent): void {
    const gated = event.request.gated as GatedRequest | null | undefined;
    if (gated === null || gated === undefined) return;
    const { ttftTarget, tpotTarget } = this.settings.current;
    const targets = ttftTarget === null ? null : { ttft: ttftTarget, tpot: tpotTarget };
    gated.model.heed(gated, event, this.#tenants, targets);
    if (event.type !== 'finished' || gated.model.gate.held === 0 || this.#endsTurn) return;
    // The attempt that has ended is still being accounted for.
    this.#endsTurn = true;
    atEndOfTurn(this);
  }

  endOfTurn(): void {
    this.#endsTurn = false;
    for (const { gate } of this.#models.values()) gate.release();
  }

  /** Refuses everything that is held, when the router goes down. */
  empty(error: RouterError): void {
    for (const { gate } of this.#models.values()) {
      gate.empty(({ owner }) => (owner as HeldCall).fail(error));
    }
  }

  /** `now` in monotonic milliseconds. */
  pass(now: number): void {
    const { ttftTarget } = this.settings.current;
    let idle = true;
    this.#tenants.refresh();
    for (const [name, model] of this.#models) {
      const { gate } = model;
      const engines = this.candidates.countUsable(name, now);
      if (ttftTarget === null || engines === 0)
        gate.empty(({ owner }) => (owner as HeldCall).proceedFreely());
      else {
        model.heedGaps(this.series, this.candidates.serving(name));
        gate.pass(now, engines, this.#settings(ttftTarget));
      }
      if (!gate.idle) idle = false;
      else if (ttftTarget === null || engines === 0) this.#models.delete(name);
    }
    if (!idle || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #settings(ttft: number): GateSettings {
    const { tpotTarget, maxHeldRequests, maxRequestsPerEngine } = this.settings.current;
    return { ttft, tpot: tpotTarget, maxHeld: maxHeldRequests, maxPerEngine: maxRequestsPerEngine };
  }

  #modelOf(name: string): GatedModel {
    let model = this.#models.get(name);
    if (model === undefined) {
      model = new GatedModel(name, new ModelGate(this.#tenants, Math.random));
      this.#models.set(name, model);
    }
    return model;
  }
}
