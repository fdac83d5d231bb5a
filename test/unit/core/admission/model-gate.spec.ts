import fc from 'fast-check';
import { GateTicket, type Refusal } from '../../../../src/core/admission/gate-ticket.js';
import { type GateSettings, ModelGate } from '../../../../src/core/admission/model-gate.js';
import { type Tenant, TenantAccounts } from '../../../../src/core/admission/tenant-accounts.js';

const settings: GateSettings = { ttft: 2, tpot: 0.05, maxHeld: 10, maxPerEngine: 0 };
const WORK = 100;

/** A gate, and what became of each request by its name. */
class Scene {
  readonly tenants = new TenantAccounts();
  readonly gate: ModelGate;
  readonly sent: string[] = [];
  readonly refused = new Map<string, Refusal>();
  readonly tickets = new Map<string, GateTicket>();
  #order = 0;

  constructor(random = 0.5) {
    this.gate = new ModelGate(this.tenants, () => random);
  }

  /** A request comes; what the gate says at once. */
  ask(
    name: string,
    now: number,
    { tenant = 'a', priority = 0, within = 2_000, settings: with_ = settings } = {},
  ) {
    const account = this.tenants.of(tenant, now);
    this.tenants.begin(account);
    const owner = {
      proceed: () => this.#send(name, account),
      refuse: (refusal: Refusal) => void this.refused.set(name, refusal),
    };
    const key = [...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7);
    const ticket = new GateTicket(
      owner,
      account,
      priority,
      WORK,
      () => key,
      now,
      now + within,
      this.#order++,
    );
    this.tickets.set(name, ticket);
    const verdict = this.gate.arrive(ticket, now, with_);
    if (verdict === 'go') this.#send(name, account);
    return verdict;
  }

  /** So many requests end, all at once. */
  end(count: number, tenant = 'a'): void {
    for (let at = 0; at < count; at++) {
      this.gate.ended(WORK);
      this.gate.done(WORK);
      this.tenants.end(this.tenants.of(tenant, 0));
    }
  }

  /** Puts `count` requests in flight, and lets the gate see that engines are late and how fast they are. */
  saturate(count: number, perSecond: number): number {
    for (let at = 0; at < count; at++) this.ask(`first ${at}`, 0);
    for (let at = 0; at < 3; at++) this.gate.limit.heedFirstToken(1, 1);
    for (let at = 0; at < 3; at++) this.gate.limit.heedFirstToken(1.0001, 1);
    this.gate.pass(1_100, 1, settings);
    let now = 1_100;
    for (let at = 0; at < 30; at++) {
      this.gate.done(perSecond / 10);
      this.gate.pass((now += 100), 1, settings);
    }
    return now;
  }

  #send(name: string, tenant: Tenant): void {
    this.sent.push(name);
    this.tenants.charge(tenant, WORK);
    this.gate.sent(WORK, true);
  }
}

describe('the gate of a model', () => {
  it('refuses and holds nothing while nothing is known', () => {
    const scene = new Scene();
    for (let at = 0; at < 10_000; at++) expect(scene.ask(`r${at}`, at)).toBe('go');
    expect([scene.gate.held, scene.gate.drainRate, scene.gate.drainSeconds]).toEqual([0, null, 0]);
  });

  it('holds while its rate is not known, however much, and lets go at the deadline', () => {
    const scene = new Scene();
    for (let at = 0; at < 4; at++) scene.ask(`first ${at}`, 0);
    for (let at = 0; at < 6; at++) scene.gate.limit.heedFirstToken(1.1, 1);
    scene.gate.pass(1_100, 1, settings);
    expect(scene.gate.limit.value).toBeLessThan(400);
    for (let at = 0; at < 10; at++) expect(scene.ask(`r${at}`, 1_200)).toBe('held');
    expect(scene.gate.drainSeconds).toBeNull();
    scene.gate.pass(2_199, 1, settings);
    expect(scene.refused.size).toBe(0);
    scene.gate.pass(2_201, 1, settings);
    expect(scene.gate.held).toBe(0);
    expect([...scene.refused.values()]).toEqual(
      Array.from({ length: 10 }, () => ({ reason: 'late', retryAfter: 2 })),
    );
  });

  it('holds what can be in time, refuses the others, and tells each its own time', () => {
    const scene = new Scene();
    const now = scene.saturate(10, 500);
    expect(scene.gate.drainRate).toBeCloseTo(500);
    // 5 requests a second, of which half of what is left of 2 s may be expected: 1 s less for the first token.
    const verdicts = Array.from({ length: 40 }, (_, at) => scene.ask(`r${at}`, now));
    const held = verdicts.filter((verdict) => verdict === 'held').length;
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThanOrEqual(4);
    const times = verdicts.slice(held).map((verdict) => (verdict as Refusal).retryAfter);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    // Nine tenths of the rate are given away: no second has more than that of them, rounded up.
    const perSecond = new Map<number, number>();
    for (const time of times) perSecond.set(time, (perSecond.get(time) ?? 0) + 1);
    expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(5);
    expect(scene.gate.promised).toBe(times.length);
    expect(scene.gate.drainSeconds).toBeCloseTo((held * WORK) / 500);
  });

  it('takes those who come back at their time before those who are new', () => {
    const scene = new Scene();
    const now = scene.saturate(10, 500);
    const verdicts = Array.from({ length: 12 }, (_, at) => scene.ask(`r${at}`, now));
    const last = (verdicts.at(-1) as Refusal).retryAfter;
    scene.gate.empty(() => undefined);
    expect(scene.ask('new', now + last * 1e3)).toMatchObject({ reason: 'no_time' });
    expect(scene.ask('r11', now + last * 1e3)).toBe('held');
    expect(scene.tickets.get('r11')!.since).toBe(now);
  });

  it('makes room for a quiet tenant, and takes it from the loud one', () => {
    const scene = new Scene();
    const now = scene.saturate(10, 5_000);
    for (let at = 0; at < 10; at++) scene.ask(`loud ${at}`, now);
    expect(scene.gate.held).toBe(10);
    expect(scene.ask('loud again', now)).toMatchObject({ reason: 'no_room' });
    scene.tenants.refresh();
    expect(scene.ask('quiet', now, { tenant: 'b' })).toBe('held');
    expect([...scene.refused.keys()]).toEqual(['loud 9']);
    expect(scene.refused.get('loud 9')!.reason).toBe('gave_way');
    expect(scene.gate.held).toBe(10);
  });

  it('holds nothing where nothing may be held', () => {
    const scene = new Scene();
    const now = scene.saturate(10, 5_000);
    expect(scene.ask('r', now, { settings: { ...settings, maxHeld: 0 } })).toMatchObject({
      reason: 'no_room',
    });
  });

  it('sends on as others end, and one at least', () => {
    const scene = new Scene();
    const now = scene.saturate(10, 5_000);
    scene.ask('r', now);
    scene.ask('s', now);
    expect(scene.sent).toHaveLength(10);
    scene.end(9);
    scene.gate.release();
    expect(scene.sent.slice(10)).toEqual(['r', 's']);
    scene.end(3);
    expect(scene.gate.inFlight).toBe(0);
    expect(scene.ask('huge', now + 1)).toBe('go');
  });

  it('holds what engines are too full for', () => {
    const scene = new Scene();
    const full = { ...settings, maxPerEngine: 2 };
    scene.gate.pass(0, 2, full);
    const verdicts = Array.from({ length: 5 }, (_, at) => scene.ask(`r${at}`, 1, { settings: full }));
    expect(verdicts).toEqual(['go', 'go', 'go', 'go', 'held']);
    scene.end(1);
    scene.gate.release();
    expect(scene.sent.at(-1)).toBe('r4');
  });

  it('knows two engines for twice one', () => {
    const scene = new Scene();
    const now = scene.saturate(10, 500);
    const { value } = scene.gate.limit;
    scene.gate.pass(now + 1, 2, settings);
    expect(scene.gate.limit.value / value).toBeCloseTo(2, 1);
    expect(scene.gate.drainRate).toBeCloseTo(1_000, -2);
    // Without any it waits for what becomes of them.
    scene.gate.pass(now + 2, 0, settings);
    scene.gate.pass(now + 3, 1, settings);
    expect(scene.gate.drainRate).toBeCloseTo(500, -2);
  });

  it('tells a long time where the backlog is long, and not the same to all', () => {
    const times = [0, 0.5, 0.999].map((random) => {
      const scene = new Scene(random);
      const now = scene.saturate(10, 10);
      let verdict;
      for (let at = 0; at < 20; at++) verdict = scene.ask(`r${at}`, now);
      return (verdict as Refusal).retryAfter;
    });
    expect(times).toEqual([60, 53, 46]);
  });

  const step = fc.record({
    after: fc.nat(1_500),
    asks: fc.nat(4),
    ends: fc.nat(4),
    tenant: fc.constantFrom('a', 'b', 'c'),
    priority: fc.integer({ min: -2, max: 2 }),
    leaves: fc.boolean(),
  });

  it('decides each request once and counts back to nothing, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const scene = new Scene();
        let now = scene.saturate(8, 400);
        const inFlight = Array.from({ length: 8 }, () => 'a');
        const verdicts = new Map<string, unknown>();
        const left = new Set<string>();
        for (const [index, { after, asks, ends, tenant, priority, leaves }] of steps.entries()) {
          now += after;
          for (let at = 0; at < asks; at++) {
            const name = `${index} ${at}`;
            verdicts.set(name, scene.ask(name, now, { tenant, priority }));
          }
          for (let at = 0; at < ends && inFlight.length > 0; at++) scene.end(1, inFlight.shift());
          if (leaves) {
            const name = [...verdicts].find(
              ([of, verdict]) =>
                verdict === 'held' && !scene.sent.includes(of) && !scene.refused.has(of) && !left.has(of),
            )?.[0];
            if (name !== undefined) {
              scene.gate.withdraw(scene.tickets.get(name)!);
              left.add(name);
            }
          }
          scene.gate.pass(now, 1, settings);
          inFlight.length = 0;
          const before = scene.sent.length - scene.gate.requests;
          for (const name of scene.sent.slice(before)) inFlight.push(scene.tickets.get(name)!.tenant.name);
          expect(scene.gate.held).toBeLessThanOrEqual(settings.maxHeld);
          expect(scene.gate.inFlight).toBeCloseTo(scene.gate.requests * WORK);
        }
        scene.gate.pass(now + 1e6, 1, settings);
        scene.gate.pass(now + 2e6, 1, settings);
        expect(scene.gate.held).toBe(0);
        for (const [name, verdict] of verdicts) {
          const [wasSent, wasRefused] = [scene.sent.includes(name), scene.refused.has(name)];
          if (verdict === 'go') expect([wasSent, wasRefused]).toEqual([true, false]);
          else if (verdict !== 'held') expect([wasSent, wasRefused]).toEqual([false, false]);
          else expect(Number(wasSent) + Number(wasRefused) + Number(left.has(name))).toBe(1);
        }
        expect(new Set(scene.sent).size).toBe(scene.sent.length);
      }),
      { numRuns: 50 },
    );
  });
});
