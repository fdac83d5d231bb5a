import { GateTicket, type Refusal } from '../../src/core/admission/gate-ticket.js';
import { type GateSettings, ModelGate } from '../../src/core/admission/model-gate.js';
import { type Tenant, TenantAccounts } from '../../src/core/admission/tenant-accounts.js';
import type { EngineProfile } from '../../src/simulator/model/engine-profile.js';
import { ArrivalHeap } from '../../src/simulator/virtual/arrival-heap.js';
import { seededRandom } from '../../src/simulator/virtual/seeded-random.js';
import { VirtualEngine } from '../../src/simulator/virtual/virtual-engine.js';
import type { VirtualRequest } from '../../src/simulator/virtual/virtual-request.js';

const PASS_SECONDS = 0.1;

/** What became of one try of a request, in seconds. */
export interface Try {
  readonly request: VirtualRequest;
  /** 1 for the first one. */
  readonly number: number;
  readonly arrival: number;
  readonly refusal: Refusal | null;
  readonly dispatched: number | null;
  readonly firstToken: number | null;
  readonly end: number | null;
  readonly tokens: number;
}
type Draft = { -readonly [K in keyof Try]: Try[K] };

export interface GatedRun {
  readonly engines: readonly EngineProfile[];
  readonly arrivals: Iterable<VirtualRequest>;
  /** Null: no gate, every request goes to an engine as it comes. */
  readonly gate: GateSettings | null;
  /** Seconds after which it is over. */
  readonly until: number;
  /** How often a client that is refused comes back when it was told to. */
  readonly returns?: number;
  readonly tenantOf?: (request: VirtualRequest) => string;
  readonly seed?: number;
}

interface Open {
  readonly attempt: Draft;
  readonly work: number;
  readonly tenant: Tenant | null;
}

/** Runs a gate before simulated engines in simulated time: each request goes to the engine with the fewest. */
export function runGated(run: GatedRun): { readonly tries: readonly Try[]; readonly gate: ModelGate } {
  const { gate: settings, returns = 1, tenantOf = () => '', seed = 1 } = run;
  const tenants = new TenantAccounts();
  const random = seededRandom(seed);
  const gate = new ModelGate(tenants, random);
  const tries: Draft[] = [];
  const open = new Map<VirtualRequest, Open>();
  const later = new ArrivalHeap();
  const numbers = new Map<number, number>();
  let now = 0;
  let output = 200;
  let order = 0;
  let [gapSeconds, gaps] = [0, 0];

  const ended = (request: VirtualRequest, tokens: number): void => {
    const it = open.get(request)!;
    open.delete(request);
    it.attempt.end = now;
    it.attempt.tokens = tokens;
    output += (tokens - output) * 0.01;
    gate.done(2 * tokens);
    gate.ended(it.work);
    if (it.tenant) {
      tenants.charge(it.tenant, request.spec.promptTokens.length + 2 * tokens - it.work);
      tenants.end(it.tenant);
    }
    if (settings) gate.release();
  };
  const engines = run.engines.map(
    (profile, index) =>
      new VirtualEngine(
        index,
        profile,
        {},
        {
          firstToken: (_engine, request) => {
            const { attempt } = open.get(request)!;
            attempt.firstToken = now;
            gate.done(request.spec.promptTokens.length);
            gate.limit.heedFirstToken(now - attempt.dispatched!, attempt.dispatched! * 1e3);
          },
          ended: (_engine, request, sequence) => ended(request, sequence.generated),
        },
      ),
  );
  /** When the step under way of each engine began. */
  const begun = engines.map(() => 0);
  const send = (request: VirtualRequest, attempt: Draft, work: number, tenant: Tenant | null): void => {
    const engine = engines.reduce((least, one) => (one.inFlight < least.inFlight ? one : least));
    attempt.dispatched = now;
    if (engine.nextEnd === Infinity) begun[engine.index] = now;
    gate.sent(work, true);
    if (tenant) tenants.charge(tenant, work);
    open.set(request, { attempt, work, tenant });
    if (engine.take(Object.assign(request, { arrival: now })) !== null) {
      throw new Error('an engine refused');
    }
  };
  const arrive = (request: VirtualRequest): void => {
    const number = (numbers.get(request.id) ?? 0) + 1;
    numbers.set(request.id, number);
    const attempt: Draft = {
      ...{ request, number, arrival: now, refusal: null, dispatched: null, firstToken: null, end: null },
      tokens: 0,
    };
    tries.push(attempt);
    const work = request.spec.promptTokens.length + 2 * output;
    if (settings === null) {
      send(request, attempt, work, null);
      return;
    }
    const tenant = tenants.of(tenantOf(request), now * 1e3);
    tenants.begin(tenant);
    const refuse = (refusal: Refusal): void => {
      attempt.refusal = refusal;
      if (number <= returns) later.add({ ...request, arrival: now + refusal.retryAfter });
    };
    const owner = { proceed: () => send(request, attempt, work, tenant), refuse };
    const deadline = now * 1e3 + settings.ttft * 1e3;
    const ticket = new GateTicket(owner, tenant, 0, work, () => request.id, now * 1e3, deadline, order++);
    const verdict = gate.arrive(ticket, now * 1e3, settings);
    if (verdict === 'go') owner.proceed();
    else if (verdict !== 'held') refuse(verdict);
  };
  const pass = (): void => {
    if (settings === null) return;
    tenants.refresh();
    gate.limit.heedTokens(gapSeconds, gaps);
    [gapSeconds, gaps] = [0, 0];
    gate.pass(now * 1e3, engines.length, settings);
  };

  const arrivals = run.arrivals[Symbol.iterator]();
  let next = arrivals.next();
  let nextPass = PASS_SECONDS;
  for (;;) {
    const engine = engines.reduce((first, one) => (one.nextEnd < first.nextEnd ? one : first));
    const fresh = next.done ? Infinity : next.value.arrival;
    const back = later.first?.arrival ?? Infinity;
    const at = Math.min(engine.nextEnd, fresh, back, nextPass);
    if (at > run.until) break;
    if (at === nextPass) {
      now = at;
      pass();
      nextPass += PASS_SECONDS;
    } else if (at === engine.nextEnd) {
      const decoding = [...engine.open].filter(([{ generated }]) => generated > 0).length;
      const seconds = at - begun[engine.index]!;
      gapSeconds += decoding * seconds;
      gaps += decoding;
      now = at;
      begun[engine.index] = at;
      engine.step();
    } else {
      now = at;
      if (back < fresh) arrive(later.take()!);
      else {
        arrive(next.value as VirtualRequest);
        next = arrivals.next();
      }
    }
  }
  return { tries, gate };
}
