import * as fc from 'fast-check';
import type { Engine } from '../../../../src/core/engine.js';
import { Fleet } from '../../../../src/core/fleet.js';
import { hasRoom, mostOut } from '../../../../src/core/health/ejection-share.js';
import { LONGEST_EJECTION } from '../../../../src/core/health/ejection-length.js';
import { FAILURE_RULES, type HealthCause, type Proof } from '../../../../src/core/health/failure-rules.js';
import { FleetHealth } from '../../../../src/core/health/fleet-health.js';
import { isUsable } from '../../../../src/core/health/health-state.js';

const SHARE = 0.5;
const CAUSES = Object.keys(FAILURE_RULES) as HealthCause[];
const ENGINES: readonly Engine[] = [0, 1, 2, 3].map((n) => ({
  id: `e${n}`,
  url: `http://e${n}`,
  // All serve one model, the last two another one as well.
  models: ['tiny', ...(n > 1 ? ['big'] : [])].map((id) => ({ id, parent: null })),
  labels: {},
}));

/** Cheaper than `expect`, and looked at a million times. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

interface Open {
  readonly engine: Engine;
  readonly sentAt: number;
  /** It is the one that may find out whether its engine serves again. */
  readonly probe: boolean;
}

/** A fleet with requests under way, which checks after each step what must hold. */
class Watched extends FleetHealth {
  now = 1_000;
  fleet: readonly Engine[] = ENGINES;
  readonly open: Open[] = [];
  readonly #out = new Set<string>();

  constructor(random: () => number) {
    super({ maxEjectedShare: () => SHARE, random });
    this.be(ENGINES);
  }

  be(engines: readonly Engine[]): void {
    this.fleet = engines;
    const next = Fleet.empty.next(engines, 0);
    const inFlight = ({ id }: Engine): boolean => this.open.some(({ engine }) => engine.id === id);
    this.follow(next, (engine) => (inFlight(engine) ? this.now + 5_000 : null), this.now);
  }

  dispatch(engine: Engine): void {
    // No two are sent at the same time: the clock has nanoseconds.
    this.now += 0.001;
    const tried = this.mayTry(engine, this.now);
    const probe = tried && this.state(engine.id, this.now) === 'probing';
    must(!probe || !this.open.some((one) => one.probe && one.engine.id === engine.id), 'one request probes');
    this.sent(engine, this.now);
    this.open.push({ engine, sentAt: this.now, probe });
  }

  finish(at: number, how: HealthCause | Proof | 'left'): void {
    const [one] = this.open.splice(at % Math.max(1, this.open.length), 1);
    if (!one) return;
    if (how === 'contact' || how === 'output') this.answered(one.engine, how, one.sentAt, this.now);
    else if (how !== 'left') this.failed(one.engine, how, one.sentAt, this.now);
    this.ended(one.engine, one.sentAt);
    if (!this.open.some(({ engine }) => engine.id === one.engine.id)) this.drained(one.engine.id);
  }

  check(): void {
    const known = new Set([...this.fleet.map(({ id }) => id), ...this.open.map(({ engine }) => engine.id)]);
    must(this.size <= known.size, 'nothing outlives its engine');
    for (const engine of this.fleet) {
      const state = this.state(engine.id, this.now);
      const mayTry = this.mayTry(engine, this.now);
      must(state !== 'gone' && state !== 'draining', 'those are of engines that have left');
      must(isUsable(state) || !mayTry, 'no request where the state says so');
      must(mayTry || (state !== 'ready' && state !== 'suspect'), 'requests where the state says so');
      must(mayTry || this.limited > 0, 'the count of limited engines is true');
      // Once it is back, a request from before is no probe of an ejection to come.
      if (state === 'ready' || state === 'suspect') this.#back(engine);
    }
    must(this.fleet.length === 0 || this.leastBad(this.fleet).length > 0, 'one is the least bad');
  }

  /** An ejection for what is no sure sign leaves as many in as it must. */
  protected override onEjected(engine: Engine, cause: HealthCause): void {
    const anew = !this.#out.has(engine.id);
    this.#out.add(engine.id);
    if (!anew || FAILURE_RULES[cause].weight === 'sure') return;
    for (const { id } of engine.models) {
      const serving = this.fleet.filter(({ models }) => models.some((model) => model.id === id));
      const out = serving.filter((one) =>
        ['ejected', 'probing', 'asleep'].includes(this.state(one.id, this.now)),
      );
      must(out.length <= mostOut(serving.length, SHARE), 'enough engines stay in');
    }
  }

  protected override onBack(engine: Engine): void {
    this.#back(engine);
  }

  #back(engine: Engine): void {
    this.#out.delete(engine.id);
    this.open.forEach((one, at) => {
      if (one.engine.id === engine.id && one.probe) this.open[at] = { ...one, probe: false };
    });
  }
}

type Step = (world: Watched) => void;

const anEngine = fc.constantFrom(...ENGINES);
const aCause = fc.constantFrom(...CAUSES);
// Never that of a request under way.
const anAge = fc.oneof(fc.constant(0), fc.nat(30_000)).map((ms) => ms + 0.000_5);
const anEnd = fc.oneof(aCause, fc.constantFrom<Proof | 'left'>('contact', 'output', 'left'));
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .oneof(fc.nat(2_000), fc.constantFrom(5_000, 10_000, 60_000))
      .map((ms) => (world: Watched) => void (world.now += ms)),
  },
  {
    weight: 6,
    arbitrary: anEngine.map((engine) => (world: Watched) => {
      if (world.fleet.includes(engine)) world.dispatch(engine);
    }),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(fc.nat(50), anEnd).map(
      ([at, how]) =>
        (world: Watched) =>
          world.finish(at, how),
    ),
  },
  // As probes of /health, and anything odd, do: of any age, some times in a row.
  {
    weight: 5,
    arbitrary: fc
      .tuple(anEngine, aCause, anAge, fc.integer({ min: 1, max: 4 }))
      .map(([engine, cause, age, times]) => (world: Watched) => {
        for (let n = 0; n < times; n++) world.failed(engine, cause, world.now - age, world.now);
      }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(anEngine, fc.constantFrom<Proof>('contact', 'output'), anAge).map(
      ([engine, proof, age]) =>
        (world: Watched) =>
          world.answered(engine, proof, world.now - age, world.now),
    ),
  },
  // One after the other fails to find out that its engine serves.
  {
    weight: 2,
    arbitrary: fc
      .tuple(anEngine, aCause, fc.integer({ min: 1, max: 8 }))
      .map(([engine, cause, times]) => (world: Watched) => {
        for (let n = 0; n < times && world.state(engine.id, world.now) === 'probing'; n++) {
          if (world.open.some((one) => one.engine === engine)) return;
          world.dispatch(engine);
          world.finish(world.open.length - 1, cause);
          world.now += 10_000 * 2 ** n;
        }
      }),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(anEngine, fc.constantFrom(true, false, null)).map(
      ([{ id }, asleep]) =>
        (world: Watched) =>
          void world.slept(id, asleep, world.now),
    ),
  },
  { weight: 1, arbitrary: fc.subarray([...ENGINES]).map((engines) => (world: Watched) => world.be(engines)) },
  {
    weight: 1,
    arbitrary: anEngine.map((engine) => (world: Watched) => void world.takesTurn(engine, world.now)),
  },
);

it('holds its promises through any sequence of events', () => {
  fc.assert(
    fc.property(
      fc.array(steps, { maxLength: 120, size: 'max' }),
      fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 20 }),
      (sequence, chances) => {
        let drawn = 0;
        const world = new Watched(() => chances[drawn++ % chances.length]!);
        for (const step of sequence) {
          step(world);
          world.check();
        }
        // None is stuck: when what is under way has ended and no engine sleeps, each may be tried within a minute.
        while (world.open.length > 0) world.finish(0, 'left');
        for (const { id } of world.fleet) world.slept(id, false, world.now);
        world.now += LONGEST_EJECTION;
        for (const engine of world.fleet) {
          expect(world.mayTry(engine, world.now)).toBe(true);
          world.dispatch(engine);
          world.finish(0, 'output');
          expect(world.state(engine.id, world.now)).not.toBe('ejected');
        }
        world.now += LONGEST_EJECTION;
        for (const engine of ENGINES) world.answered(engine, 'output', world.now, world.now);
        expect([world.size, world.limited, world.draining]).toEqual([0, 0, 0]);
      },
    ),
    { numRuns: 400 },
  );
});

it('has room as long as fewer are out than may be', () => {
  expect(hasRoom([], SHARE, () => undefined)).toBe(false);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (count, share) => {
        const most = mostOut(count, share);
        expect(most).toBeLessThanOrEqual(Math.max(share * count + 1e-6, count > 1 && share > 0 ? 1 : 0));
        expect(most).toBeLessThanOrEqual(count);
        if (share < 0.99) expect(most).toBeLessThan(Math.max(count, 1) + (count === 1 ? 1 : 0));
      },
    ),
  );
});
