import fc from 'fast-check';
import { DecayingLine } from '../../../../src/core/cost/decaying-line.js';
import { DecayingPlane } from '../../../../src/core/cost/decaying-plane.js';
import { EnginePace } from '../../../../src/core/cost/engine-pace.js';
import { LoadIntegral } from '../../../../src/core/cost/load-integral.js';
import { PaceGroup, median } from '../../../../src/core/cost/pace-group.js';
import { TrackedMedian } from '../../../../src/core/cost/tracked-median.js';

/** A pace after `answers` answers of 100 tokens at a + b n seconds a token, n from 0 to 19. */
function paceOf(a: number, b: number, answers = 60): EnginePace {
  return paceAmongPrompts(a, b, 0, { least: 0, most: 0 }, 0, answers);
}

/**
 * A pace after answers of 100 tokens at a + b n + c z seconds a token: n up to 20 requests above the least number in
 * flight, z up to the most prompt tokens for each output token.
 */
function paceAmongPrompts(
  a: number,
  b: number,
  c: number,
  prompts: { readonly least: number; readonly most: number },
  leastInFlight: number,
  answers = 60,
): EnginePace {
  const pace = new EnginePace();
  for (let index = 0; index < 10; index++) pace.heedPrompt(4_000, 200);
  for (let index = 0; index < answers; index++) {
    const n = leastInFlight + ((index * 7) % 20);
    const z = prompts.least + ((index * 5) % 13) * ((prompts.most - prompts.least) / 12);
    pace.heedAnswer(100, 99 * (a + b * n + c * z) * 1000, n, 1_000, 99 * z);
  }
  return pace;
}

describe('DecayingLine', () => {
  it('finds a line, whatever its points', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(fc.nat({ max: 100 }), { minLength: 20, maxLength: 60 }),
        (a, b, points) => {
          const line = new DecayingLine(0.99);
          for (const x of [0, 50, ...points]) line.add(x, a + b * x);
          if (line.slope === null) return;
          expect(line.slope).toBeCloseTo(b, 6);
        },
      ),
    );
  });

  it('equals weighted least squares by definition', () => {
    const line = new DecayingLine(0.9);
    const points = Array.from({ length: 30 }, (_, i): [number, number] => [(i * 11) % 17, (i * 5) % 13]);
    for (const [x, y] of points) line.add(x, y);
    const weights = points.map((_, i) => 0.9 ** (points.length - 1 - i));
    const sum = (of: (x: number, y: number) => number): number =>
      points.reduce((all, [x, y], i) => all + (weights[i] ?? 0) * of(x, y), 0);
    const [w, sx, sy] = [sum(() => 1), sum((x) => x), sum((_x, y) => y)];
    const covariance = sum((x, y) => x * y) - (sx * sy) / w;
    const variance = sum((x) => x * x) - (sx * sx) / w;
    expect(line.slope).toBeCloseTo(Math.max(0, covariance / variance), 9);
  });

  it('knows no slope of points at one place', () => {
    const line = new DecayingLine(0.99);
    for (let index = 0; index < 100; index++) line.add(5, index % 2 === 0 ? 1 : 3);
    expect(line.slope).toBeNull();
  });

  it('follows a change within some hundred points', () => {
    const line = new DecayingLine(0.99);
    for (let index = 0; index < 500; index++) line.add(index % 20, index % 20);
    for (let index = 0; index < 500; index++) line.add(index % 20, 3 * (index % 20));
    expect(line.slope).toBeCloseTo(3, 1);
  });

  it('does not hear what is no number', () => {
    const line = new DecayingLine(0.99);
    line.add(NaN, 1);
    line.add(1, Infinity);
    expect(line.points).toBe(0);
  });
});

describe('DecayingPlane', () => {
  const coefficient = fc.double({ min: 0.001, max: 1, noNaN: true });

  it('finds a plane, whatever its points', () => {
    fc.assert(
      fc.property(
        fc.tuple(coefficient, coefficient, coefficient),
        fc.array(fc.tuple(fc.nat({ max: 100 }), fc.nat({ max: 100 })), { minLength: 20, maxLength: 60 }),
        ([a, b, c], points) => {
          const plane = new DecayingPlane(0.99);
          for (const [x, z] of [[0, 0], [50, 0], [0, 50], ...points] as const)
            plane.add(x, z, a + b * x + c * z);
          const { slopeX, slopeZ } = plane;
          if (slopeX === null || slopeZ === null) return;
          expect(slopeX).toBeCloseTo(b, 6);
          expect(slopeZ).toBeCloseTo(c, 6);
          expect(plane.at(30, 70)).toBeCloseTo(a + 30 * b + 70 * c, 5);
        },
      ),
    );
  });

  it('leaves no weighted residue along its variables, which is least squares by definition', () => {
    const plane = new DecayingPlane(0.9);
    const points = Array.from({ length: 30 }, (_, i) => {
      const [x, z] = [(i * 11) % 17, (i * 7) % 19];
      return { x, z, y: 1 + 0.5 * x + 0.25 * z + ((i * 5) % 3), weight: 0.9 ** (29 - i) };
    });
    for (const { x, z, y } of points) plane.add(x, z, y);
    const left = (by: (x: number, z: number) => number): number =>
      points.reduce((sum, { x, z, y, weight }) => sum + weight * by(x, z) * (y - plane.at(x, z)), 0);
    expect(left(() => 1)).toBeCloseTo(0, 9);
    expect(left((x) => x)).toBeCloseTo(0, 9);
    expect(left((_x, z) => z)).toBeCloseTo(0, 9);
  });

  it('gives what z does to y to x where they only move together', () => {
    const plane = new DecayingPlane(0.99);
    for (let index = 0; index < 100; index++) plane.add(index % 20, 3 * (index % 20), 1 + 7 * (index % 20));
    expect(plane.slopeX).toBeCloseTo(7, 9);
    expect(plane.slopeZ).toBeNull();
    expect(plane.at(10, 30)).toBeCloseTo(71, 9);
  });

  it('knows the slope of the one variable that moves', () => {
    const [byX, byZ] = [new DecayingPlane(0.99), new DecayingPlane(0.99)];
    for (let index = 0; index < 100; index++) {
      byX.add(index % 20, 5, 1 + 2 * (index % 20));
      byZ.add(5, index % 20, 1 + 2 * (index % 20));
    }
    expect([byX.slopeZ, byZ.slopeX]).toEqual([null, null]);
    expect(byX.slopeX).toBeCloseTo(2, 9);
    expect(byZ.slopeZ).toBeCloseTo(2, 9);
    expect(byX.at(3, 100)).toBeCloseTo(7, 9);
  });

  it('has no slope below 0, and fits the other one without it', () => {
    const [downX, downZ, down] = [new DecayingPlane(0.99), new DecayingPlane(0.99), new DecayingPlane(0.99)];
    for (let index = 0; index < 400; index++) {
      const [x, z] = [index % 20, Math.floor(index / 20)];
      downX.add(x, z, 100 - x + 2 * z);
      downZ.add(x, z, 100 + 2 * x - z);
      down.add(x, z, 100 - x - z);
    }
    expect([downX.slopeX, downZ.slopeZ]).toEqual([0, 0]);
    expect(downX.slopeZ).toBeGreaterThan(1.5);
    expect(downZ.slopeX).toBeGreaterThan(1.5);
    expect([down.slopeX, down.slopeZ]).toEqual([0, 0]);
  });

  it('never goes below a tenth of the mean, and does not hear what is no number', () => {
    const plane = new DecayingPlane(0.99);
    for (let index = 0; index < 100; index++) plane.add(100 + (index % 20), 0, index % 20);
    expect(plane.at(0, 0)).toBeCloseTo(plane.meanY / 10, 12);
    for (const [x, z, y] of [
      [NaN, 1, 1],
      [1, Infinity, 1],
      [1, 1, -Infinity],
    ] as const)
      plane.add(x, z, y);
    expect(plane.points).toBe(100);
  });
});

describe('TrackedMedian', () => {
  it('comes to within a tenth of the median of what it hears', () => {
    const tracked = new TrackedMedian();
    for (let index = 0; index < 2_000; index++) tracked.add(1_000 + ((index * 433) % 1_001));
    expect(Math.abs((tracked.value ?? 0) / 1_500 - 1)).toBeLessThan(0.1);
  });

  it('is moved by an outlier by one step, and by nonsense not at all', () => {
    const tracked = new TrackedMedian();
    for (let index = 0; index < 100; index++) tracked.add(10);
    for (const nonsense of [NaN, 0, -1, Infinity]) tracked.add(nonsense);
    expect(tracked.value).toBeCloseTo(10, 9);
    tracked.add(1e12);
    expect(tracked.value).toBeLessThan(10.3);
  });
});

describe('LoadIntegral', () => {
  it('gives the mean load between two moments', () => {
    const load = new LoadIntegral();
    load.set(2, 1_000);
    const before = load.until(2_000);
    load.set(4, 3_000);
    expect((load.until(5_000) - before) / 3_000).toBeCloseTo((2 + 4 + 4) / 3, 12);
  });

  it('holds a clock that steps back at its latest value', () => {
    const load = new LoadIntegral();
    load.set(1, 1_000);
    load.set(5, 500);
    load.set(NaN, NaN);
    expect(load.until(2_000)).toBe(5_000);
  });
});

describe('EnginePace', () => {
  it('is known after fifty answers', () => {
    expect(paceOf(0.01, 0.001, 49).known).toBe(false);
    expect(paceOf(0.01, 0.001, 50).known).toBe(true);
    expect(paceOf(0.01, 0.001).plane.at(10, 0)).toBeCloseTo(0.02, 9);
    expect(paceOf(0.01, 0.001).slope).toBeCloseTo(0.001, 9);
  });

  it('takes the time of prompts out of the slope', () => {
    const pace = new EnginePace();
    for (let index = 0; index < 10; index++) pace.heedPrompt(4_000, 200);
    // Each request in flight brings 2,000 prompt tokens, a tenth of a second, into the time of an answer.
    for (let index = 0; index < 60; index++) {
      const n = (index * 7) % 20;
      pace.heedAnswer(101, (100 * (0.01 + 0.001 * n) + 0.1 * n) * 1000, n, 1_000, 2_000 * n);
    }
    expect(pace.slope).toBeCloseTo(0.001, 9);
    expect(pace.plane.at(10, 200)).toBeCloseTo(0.03, 9);
  });

  it('takes no short answers, and a stalled one as four times the pace', () => {
    const pace = paceOf(0.01, 0, 100);
    for (let index = 0; index < 100; index++) pace.heedAnswer(2, 60_000, 1, 1_000);
    expect(pace.plane.at(5, 0)).toBeCloseTo(0.01, 9);
    pace.heedAnswer(100, 1e9, 10, 1_000);
    expect(pace.plane.at(10, 0)).toBeLessThan(0.011);
  });

  it('learns the prefill rate of larger prompts, ten of them', () => {
    const pace = new EnginePace();
    for (let index = 0; index < 100; index++) pace.heedPrompt(100, 5_000);
    for (let index = 0; index < 9; index++) pace.heedPrompt(4_000, 200);
    expect(pace.prefillRate).toBeNull();
    pace.heedPrompt(4_000, 200);
    expect(pace.prefillRate).toBeCloseTo(20_000, 6);
  });
});

describe('PaceGroup', () => {
  const groupOf = (...paces: EnginePace[]): PaceGroup => {
    const group = new PaceGroup();
    group.refresh(paces);
    return group;
  };

  it('holds each engine against the median at the same load', () => {
    const [usual, slow] = [paceOf(0.01, 0.0005), paceOf(0.03, 0.0015)];
    const group = groupOf(usual, paceOf(0.01, 0.0005), paceOf(0.01, 0.0005), slow);
    expect(group.slowness(slow, 1_000)).toBeCloseTo(3, 6);
    expect(group.slowness(usual, 1_000)).toBe(1);
    expect(group.slope).toBeCloseTo(0.0005, 9);
  });

  it('tells a slow engine from one under more requests and more prompts', () => {
    const step = [0.0065, 0.0004, 28e-6] as const;
    const [own, perRequest, perPrompt] = step;
    const busy = { least: 100, most: 400 };
    const usual = [20, 25, 30, 22, 28, 26].map((n) => paceAmongPrompts(...step, busy, n));
    const slow = paceAmongPrompts(3 * own, 3 * perRequest, 3 * perPrompt, { least: 10, most: 90 }, 4);
    const crowded = paceAmongPrompts(...step, { least: 900, most: 1_500 }, 60);
    const idle = paceAmongPrompts(...step, { least: 0, most: 0 }, 0);
    const group = groupOf(...usual, slow, crowded, idle);
    expect(group.slowness(slow, 1_000)).toBeCloseTo(3, 6);
    for (const even of [...usual, crowded, idle]) expect(group.slowness(even, 1_000)).toBe(1);
  });

  it('takes no step to be shorter than nothing where the load costs more the more there is', () => {
    const convex = (least: number): EnginePace => {
      const pace = new EnginePace();
      for (let index = 0; index < 60; index++) {
        const n = least + (index % 20);
        pace.heedAnswer(101, 100 * n * n, n, 1_000);
      }
      return pace;
    };
    const [idle, loaded] = [convex(1), [50, 50, 50].map(convex)];
    const group = groupOf(...loaded, idle);
    expect(group.slowness(idle, 1_000)).toBeLessThan(1);
    for (const even of loaded) expect(group.slowness(even, 1_000)).toBeLessThan(1);
  });

  it('compares engines of which each is known at one place by their means', () => {
    const still = (pace: number): EnginePace => {
      const known = new EnginePace();
      for (let index = 0; index < 60; index++) known.heedAnswer(101, 100 * pace * 1000, 5, 1_000);
      return known;
    };
    const slow = still(0.04);
    const group = groupOf(still(0.02), still(0.02), slow);
    expect(group.slowness(slow, 1_000)).toBeCloseTo(2, 9);
  });

  it('stays from a quarter to eight', () => {
    const [slow, fast, usual] = [paceOf(10, 0), paceOf(0.0001, 0), paceOf(0.01, 0)];
    const group = groupOf(slow, fast, usual);
    expect(group.slowness(slow, 1_000)).toBe(8);
    expect(group.slowness(fast, 1_000)).toBe(0.25);
  });

  it('is 1 while fewer than two engines are known, and for one that is not known', () => {
    const slow = paceOf(0.05, 0);
    expect(groupOf(slow, paceOf(0.01, 0, 10)).slowness(slow, 1_000)).toBe(1);
    expect(groupOf(slow, paceOf(0.01, 0)).slowness(paceOf(0.5, 0, 10), 1_000)).toBe(1);
    expect(new PaceGroup().slowness(slow, 1_000)).toBe(1);
  });

  it('forgets the slowness of an engine that was not heard of for minutes', () => {
    const slow = paceOf(0.08, 0);
    const group = groupOf(slow, paceOf(0.01, 0), paceOf(0.01, 0));
    expect(group.slowness(slow, 30_000)).toBeCloseTo(8, 9);
    expect(group.slowness(slow, 91_000 + 60_000)).toBeLessThan(2.5);
    expect(group.slowness(slow, 600_000)).toBe(1);
  });

  it('takes the median', () => {
    expect(median([])).toBeNull();
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });
});
