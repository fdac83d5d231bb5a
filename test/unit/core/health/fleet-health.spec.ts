import type { Engine } from '../../../../src/core/engine.js';
import { Fleet } from '../../../../src/core/fleet.js';
import { mostOut } from '../../../../src/core/health/ejection-share.js';
import { FleetHealth } from '../../../../src/core/health/fleet-health.js';
import type { HealthNews } from '../../../../src/core/health/health-news.js';

const engineOf = (id: string, ...models: string[]): Engine => ({
  id,
  url: `http://${id}:8000`,
  models: (models.length === 0 ? ['tiny'] : models).map((model) => ({ id: model, parent: null })),
  labels: {},
});

class World extends FleetHealth {
  now = 1_000;
  readonly lines: string[] = [];
  readonly told: [string, HealthNews][] = [];

  constructor(
    engines: readonly Engine[],
    readonly chance = { value: 0 },
    share = 0.5,
  ) {
    super({ maxEjectedShare: () => share, random: () => chance.value });
    this.onNews = ({ id }, news) => this.told.push([id, news]);
    this.be(engines);
  }

  be(engines: readonly Engine[], inFlight: readonly string[] = []): void {
    const until = ({ id }: Engine): number | null => (inFlight.includes(id) ? this.now + 1_000 : null);
    this.follow(Fleet.empty.next(engines, 0), until, this.now);
  }

  fail(engine: Engine, cause: Parameters<FleetHealth['failed']>[1], times = 1): void {
    for (let n = 0; n < times; n++) this.failed(engine, cause, this.now, this.now);
  }

  states(engines: readonly Engine[]): string[] {
    return engines.map(({ id }) => this.state(id, this.now));
  }

  protected override onEjected(engine: Engine, cause: string, ms: number): void {
    this.lines.push(`${engine.id} ejected ${cause} ${ms}`);
  }

  protected override onBack(engine: Engine): void {
    this.lines.push(`${engine.id} back`);
  }
}

const [A, B, C, D] = ['a', 'b', 'c', 'd'].map((id) => engineOf(id)) as [Engine, Engine, Engine, Engine];

it('keeps nothing of engines that are well, and forgets those that are again', () => {
  const world = new World([A, B]);
  world.answered(A, 'output', 1, 2);
  world.sent(A, 1);
  world.ended(A, 1);
  expect([world.size, world.limited]).toEqual([0, 0]);
  world.fail(A, 'http_5xx');
  expect([world.size, world.limited, ...world.states([A, B])]).toEqual([1, 0, 'suspect', 'ready']);
  world.now += 10_000;
  world.answered(A, 'output', world.now, world.now);
  expect(world.size).toBe(0);
  world.fail(A, 'busy', 100);
  world.fail(engineOf('stranger'), 'refused');
  expect([world.size, world.state('stranger', world.now)]).toEqual([0, 'gone']);
});

it('is limited from the ejection to the end of the slow start', () => {
  const world = new World([A, B]);
  world.fail(A, 'refused');
  expect([world.limited, world.takesTurn(A, world.now), world.takesTurn(B, world.now)]).toEqual([
    1,
    false,
    true,
  ]);
  world.now += 1;
  world.answered(A, 'contact', world.now, world.now);
  expect(world.lines).toEqual(['a ejected refused 5000', 'a back']);
  world.chance.value = 0.4;
  world.now += 3_000;
  expect([world.takesTurn(A, world.now), world.mayTry(A, world.now), world.limited]).toEqual([
    false,
    true,
    1,
  ]);
  world.now += 2_000;
  expect(world.takesTurn(A, world.now)).toBe(true);
  world.now += 5_000;
  expect([world.takesTurn(A, world.now), world.limited, world.size]).toEqual([true, 0, 1]);
  world.now += 50_000;
  world.answered(A, 'contact', world.now, world.now);
  expect(world.size).toBe(0);
});

it.each([
  [1, 0.5, 0],
  [2, 0.5, 1],
  [3, 0.5, 1],
  [4, 0.5, 2],
  [10, 0.3, 3],
  [10, 0.01, 1],
  [10, 0, 0],
  [3, 1, 3],
  [1, 1, 1],
])('of %d engines and a share of %d, %d may be out', (count, share, most) => {
  expect(mostOut(count, share)).toBe(most);
});

describe('the share of engines that may be ejected', () => {
  it('holds for what a client may have brought about, and not for sure signs', () => {
    const world = new World([A, B, C, D]);
    for (const each of [A, B, C, D]) world.fail(each, 'http_5xx', 10);
    expect(world.states([A, B, C, D])).toEqual(['ejected', 'ejected', 'suspect', 'suspect']);
    world.fail(C, 'refused');
    world.fail(D, 'engine_dead');
    expect(world.states([C, D])).toEqual(['ejected', 'ejected']);
  });

  it('counts those that are out for sure, and those that sleep', () => {
    const world = new World([A, B, C, D]);
    world.fail(A, 'refused');
    world.slept('b', true, world.now);
    world.fail(C, 'http_5xx', 10);
    expect(world.states([A, B, C])).toEqual(['ejected', 'asleep', 'suspect']);
    world.now += 1_000;
    world.answered(A, 'contact', world.now, world.now);
    world.fail(C, 'http_5xx', 10);
    expect(world.states([C])).toEqual(['ejected']);
  });

  it('holds for each model of an engine', () => {
    const [both, one, other] = [engineOf('x', 'm', 'n'), engineOf('y', 'm'), engineOf('z', 'm')];
    const world = new World([both, one, other]);
    world.fail(both, 'reset', 10);
    // It is the only one of `n`.
    expect(world.states([both])).toEqual(['suspect']);
    world.fail(one, 'reset', 10);
    expect(world.states([one])).toEqual(['ejected']);
  });

  it('is looked at once a second for one engine', () => {
    let looks = 0;
    const share = { maxEjectedShare: () => (looks++, 0), random: () => 0 };
    const world = new FleetHealth(share);
    world.follow(Fleet.empty.next([A, B], 0), () => null, 0);
    for (let n = 0; n < 10_000; n++) world.failed(A, 'reset', n / 10, n / 10);
    expect(looks).toBe(1);
    world.failed(A, 'reset', 1_001, 1_001);
    expect(looks).toBe(2);
  });
});

it('has the least bad serve where none may be tried', () => {
  const world = new World([A, B, C, D]);
  world.fail(A, 'http_5xx', 3);
  world.fail(B, 'refused');
  world.slept('c', true, world.now);
  const ids = (engines: readonly Engine[]): string[] => world.leastBad(engines).map(({ id }) => id);
  expect([ids([A, B, C]), ids([B, C]), ids([C]), ids([A, B, C, D])]).toEqual([['a'], ['b'], ['c'], ['d']]);
  world.be([B, C, D], ['a']);
  expect([ids([A]), ids([A, C])]).toEqual([[], ['c']]);
});

it('knows of which engines that are out one hears at once', () => {
  const world = new World([A, B, C, D]);
  world.fail(A, 'draining');
  world.fail(B, 'stalled');
  world.slept('c', true, world.now);
  expect([world.leastBad([A, B, C], true), world.leastBad([B, C], true)]).toEqual([[A], []]);
});

describe('an engine that leaves the fleet', () => {
  it('drains while it has requests, and is gone after them or at its time', () => {
    const world = new World([A, B]);
    world.be([B], ['a']);
    expect([world.draining, world.limited, ...world.states([A, B])]).toEqual([1, 0, 'draining', 'ready']);
    expect(world.mayTry(A, world.now)).toBe(false);
    world.now += 1_000;
    expect(world.states([A])).toEqual(['gone']);
    world.drained('a');
    expect([world.draining, world.size, ...world.states([A])]).toEqual([0, 0, 'gone']);
  });

  it('is gone at once without requests, with all that was remembered', () => {
    const world = new World([A, B]);
    world.fail(A, 'refused');
    world.be([B]);
    expect([world.size, world.limited, ...world.states([A])]).toEqual([0, 0, 'gone']);
  });

  it('is as it was when it comes back before its requests have ended', () => {
    const world = new World([A, B]);
    world.fail(A, 'http_5xx', 3);
    world.be([B], ['a']);
    expect([world.draining, world.limited]).toEqual([1, 0]);
    world.be([A, B], ['a']);
    expect([world.draining, world.limited, ...world.states([A])]).toEqual([0, 1, 'ejected']);
    world.drained('a');
    expect(world.states([A])).toEqual(['ejected']);
  });
});

describe('several processes', () => {
  /** Two that hear each other at once. */
  const pair = (): [World, World] => {
    const [one, other] = [new World([A, B]), new World([A, B])];
    one.onNews = ({ id }, news) => other.learn(id, news, one.now);
    other.onNews = ({ id }, news) => one.learn(id, news, other.now);
    return [one, other];
  };

  it('eject and take back together', () => {
    const [one, other] = pair();
    one.fail(A, 'http_5xx', 3);
    expect([one, other].map((world) => world.states([A, B]))).toEqual([
      ['ejected', 'ready'],
      ['ejected', 'ready'],
    ]);
    one.now = other.now = 6_000;
    one.sent(A, 6_000);
    expect([one.mayTry(A, 6_000), other.mayTry(A, 6_000)]).toEqual([false, false]);
    one.answered(A, 'output', 6_000, 6_001);
    expect([one, other].map((world) => world.states([A]))).toEqual([['ready'], ['ready']]);
    expect([one.lines, other.lines]).toEqual([['a ejected http_5xx 5000', 'a back'], []]);
  });

  it('do not eject an engine in one that fails while it answers in the other', () => {
    const [one, other] = pair();
    for (let n = 0; n < 3; n++) {
      one.fail(A, 'unreachable', 2);
      other.answered(A, 'output', 0, other.now);
    }
    expect([one.states([A]), one.lines]).toEqual([['suspect'], []]);
    one.fail(A, 'unreachable', 3);
    expect(one.states([A])).toEqual(['ejected']);
  });

  it('tell one that begins what is ejected', () => {
    const [one] = pair();
    one.fail(A, 'refused');
    one.fail(B, 'http_5xx');
    const late = new World([A, B]);
    for (const [id, news] of one.inForce(one.now)) late.learn(id, news, one.now);
    expect(late.states([A, B])).toEqual(['ejected', 'ready']);
  });

  it('agree on what an operator has taken out, one that begins included', () => {
    const [one, other] = pair();
    expect(one.setDrained('a', true, one.now)).toBe(true);
    const late = new World([A, B]);
    for (const [id, news] of one.inForce(one.now)) late.learn(id, news, one.now);
    for (const world of [one, other, late]) {
      expect([world.states([A, B]), world.mayTry(A, world.now)]).toEqual([['drained', 'ready'], false]);
    }
    expect(other.setDrained('a', false, other.now)).toBe(true);
    expect([one, other].map((world) => world.states([A]))).toEqual([['ready'], ['ready']]);
  });
});

describe('an engine that an operator has taken out', () => {
  it('gets no request, not as the last resort either, until it is given back', () => {
    const world = new World([A, B]);
    expect([world.setDrained('nobody', true, 0), world.setDrained('a', false, 0)]).toEqual([null, false]);
    expect([world.setDrained('a', true, 0), world.setDrained('a', true, 0)]).toEqual([true, false]);
    expect([world.mayTry(A, 1e9), world.takesTurn(A, 1e9), world.limited]).toEqual([false, false, 1]);
    expect(world.leastBad([A])).toEqual([]);
    world.answered(A, 'output', 1, 2);
    expect(world.states([A])).toEqual(['drained']);
    world.setDrained('a', false, 10);
    expect([world.states([A]), world.mayTry(A, 10)]).toEqual([['ready'], true]);
  });

  it('counts as one that is out when others fail', () => {
    const world = new World([A, B]);
    world.setDrained('a', true, 0);
    world.fail(B, 'http_5xx', 5);
    expect(world.states([B])).toEqual(['suspect']);
  });

  it('is as any other when it has left the fleet and comes back', () => {
    const world = new World([A, B]);
    world.setDrained('a', true, 0);
    world.follow(Fleet.empty.next([B], 0), () => null, 1);
    world.follow(Fleet.empty.next([A, B], 0), () => null, 2);
    expect([world.states([A]), world.limited]).toEqual([['ready'], 0]);
  });
});
