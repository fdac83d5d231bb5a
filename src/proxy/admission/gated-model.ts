import type { LatencyTargets } from '../../core/admission/in-flight-limit.js';
import type { ModelGate } from '../../core/admission/model-gate.js';
import type { Tenant, TenantAccounts } from '../../core/admission/tenant-accounts.js';
import { GENERATED_WEIGHT, type ReckonedWork, WorkHabits } from '../../core/admission/work-habits.js';
import type { AttemptEvent } from '../../core/attempt-event.js';
import type { Engine } from '../../core/engine.js';
import type { LifetimeSeries } from '../../stats/lifetime-series.js';

/** What is kept at a request that went through the gate. */
export interface GatedRequest {
  readonly model: GatedModel;
  readonly tenant: Tenant;
  /** Length of its body. */
  readonly bytes: number;
  readonly reckoned: ReckonedWork;
  /** The attempt under way. */
  open: OpenWork | null;
}

interface OpenWork {
  readonly attempt: number;
  /** Tokens of the prompt that the engine is believed to have to compute. */
  readonly prompt: number;
  /** Tokens of work in all. */
  readonly work: number;
  firstTokenAt: number | null;
}

type Finished = AttemptEvent & { readonly type: 'finished' };

/** One model's gate, fed with what attempts and streams tell. */
export class GatedModel {
  readonly habits = new WorkHabits();
  /** Seconds and gaps between pieces that all streams had when they were looked at last. */
  #gapSeconds = 0;
  #gaps = 0;

  constructor(
    readonly name: string,
    readonly gate: ModelGate,
  ) {}

  /** Takes in an event of an attempt. @param targets null: the gate has been switched off meanwhile */
  heed(
    gated: GatedRequest,
    event: AttemptEvent,
    tenants: TenantAccounts,
    targets: LatencyTargets | null,
  ): void {
    if (event.type === 'dispatched') {
      const prompt = event.ranked?.terms?.uncached ?? gated.reckoned.prompt;
      const work = prompt + GENERATED_WEIGHT * gated.reckoned.generated;
      gated.open = { attempt: event.attempt, prompt, work, firstTokenAt: null };
      tenants.begin(gated.tenant);
      tenants.charge(gated.tenant, work);
      this.gate.sent(work, event.request.stream);
      return;
    }
    const { open } = gated;
    if (open === null || open.attempt !== event.attempt) return;
    if (event.type === 'firstToken') {
      open.firstTokenAt = event.at;
      this.gate.done(open.prompt);
      this.gate.limit.heedFirstToken(event.sinceDispatch / 1e3, event.at - event.sinceDispatch);
      return;
    }
    gated.open = null;
    this.gate.ended(open.work);
    this.#account(gated, open, event, tenants, targets);
    tenants.end(gated.tenant);
  }

  /** Looks at what streams have brought since the last call: how long a token takes now. */
  heedGaps(series: LifetimeSeries, engines: readonly Engine[]): void {
    let [seconds, gaps] = [0, 0];
    for (const { url } of engines) {
      const gapsOf = series.byUrl.get(url)?.models.get(this.name)?.interToken;
      if (gapsOf === undefined) continue;
      seconds += gapsOf.sum;
      gaps += gapsOf.count;
    }
    const more = gaps - this.#gaps;
    if (more > 0 && seconds >= this.#gapSeconds) {
      this.gate.limit.heedTokens(seconds - this.#gapSeconds, more * this.habits.tokensPerPiece);
    }
    this.#gapSeconds = seconds;
    this.#gaps = gaps;
  }

  /** The tenant has what was really done for it; the gate learns. */
  #account(
    { tenant, bytes }: GatedRequest,
    open: OpenWork,
    event: Finished,
    tenants: TenantAccounts,
    targets: LatencyTargets | null,
  ): void {
    const { usage, pieces = 0, outcome } = event;
    const generated = usage?.completion || pieces * this.habits.tokensPerPiece;
    const done = outcome === 'done';
    // Of an attempt that has brought nothing it is not known whether anything was done.
    const computed = open.firstTokenAt !== null || done;
    const prompt = usage === null || usage.cached === null ? open.prompt : usage.prompt - usage.cached;
    const work = computed ? Math.max(0, prompt) + GENERATED_WEIGHT * generated : 0;
    tenants.charge(tenant, work - open.work);
    this.gate.done(work - (open.firstTokenAt === null ? 0 : open.prompt));
    if (!done) return;
    this.habits.heed(bytes, usage, pieces);
    if (open.firstTokenAt === null && targets !== null) {
      const { at, sinceDispatch } = event;
      this.gate.limit.heedWhole(sinceDispatch / 1e3, at - sinceDispatch, generated, targets);
    }
  }
}
