import fc from 'fast-check';
import { type ArrivalOptions, poissonArrivals } from '../../../../src/simulator/virtual/arrivals.js';
import { ArrivalHeap } from '../../../../src/simulator/virtual/arrival-heap.js';
import { drawLength } from '../../../../src/simulator/virtual/lengths.js';
import { seededRandom } from '../../../../src/simulator/virtual/seeded-random.js';
import { latenciesOf, spreadOf } from '../../../../src/simulator/virtual/summary.js';
import type { VirtualRequest } from '../../../../src/simulator/virtual/virtual-request.js';

const OPTIONS: ArrivalOptions = {
  seed: 7,
  rate: 10,
  count: 5000,
  prompt: { kind: 'uniform', least: 1, most: 9 },
  output: { kind: 'fixed', tokens: 3 },
};

describe('Poisson arrivals', () => {
  it('come at the rate, in order, with gaps as a Poisson process has them', () => {
    const arrivals = [...poissonArrivals(OPTIONS)].map(({ arrival }) => arrival);
    const gaps = arrivals.map((arrival, index) => arrival - (arrivals[index - 1] ?? 0));
    expect(gaps.every((gap) => gap >= 0)).toBe(true);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    expect(mean).toBeGreaterThan(0.095);
    expect(mean).toBeLessThan(0.105);
    // The share of gaps beyond the mean is 1/e.
    const beyond = gaps.filter((gap) => gap > 0.1).length / gaps.length;
    expect(beyond).toBeGreaterThan(0.34);
    expect(beyond).toBeLessThan(0.4);
  });

  it('are the same for the same seed, and others for another', () => {
    const of = (seed: number): unknown => [...poissonArrivals({ ...OPTIONS, seed, count: 20 })];
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });

  it('share prefixes as often as told, the first ones more often when skewed', () => {
    const count = 2000;
    const prefixes = { count: 4, tokens: 32, share: 0.5, skew: 1 };
    const requests = [...poissonArrivals({ ...OPTIONS, count, prefixes })];
    const heads = new Map<string, Set<string>>();
    const sizes = [0, 0, 0, 0];
    for (const { session, spec } of requests.filter((one) => one.session.startsWith('shared-'))) {
      const head = spec.promptTokens.subarray(0, 32).join();
      heads.set(session, (heads.get(session) ?? new Set()).add(head));
      sizes[Number(session.slice(7))]!++;
    }
    expect([...heads.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1]);
    const shared = sizes.reduce((sum, size) => sum + size, 0);
    expect(shared / count).toBeGreaterThan(0.45);
    expect(shared / count).toBeLessThan(0.55);
    // Zipf: 12/25, 6/25, 4/25, 3/25.
    expect(sizes[0]! / shared).toBeGreaterThan(0.43);
    expect(sizes[3]! / shared).toBeLessThan(0.17);
  });

  it('need a rate', () => {
    expect(() => poissonArrivals({ ...OPTIONS, rate: 0 }).next()).toThrow('the rate is 0, not above 0');
  });
});

describe('lengths', () => {
  it('stay within their ends, around their median', () => {
    const random = seededRandom(3);
    const lengths = { kind: 'lognormal', median: 100, spread: 1, least: 10, most: 1000 } as const;
    const drawn = Array.from({ length: 4000 }, () => drawLength(lengths, random));
    const { median } = spreadOf(drawn);
    expect(median).toBeGreaterThan(92);
    expect(median).toBeLessThan(108);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(1000);
    expect(drawn.every(Number.isInteger)).toBe(true);
  });
});

describe('a heap of arrivals', () => {
  it('gives the earliest first', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), (times) => {
        const heap = new ArrivalHeap();
        const requests = times.map((arrival, id) => ({ id, arrival }) as VirtualRequest);
        for (const request of requests) heap.add(request);
        const taken = times.map(() => heap.take());
        expect(taken).toEqual(requests.sort((a, b) => a.arrival - b.arrival || a.id - b.id));
        expect(heap.take()).toBeUndefined();
      }),
    );
  });
});

describe('a summary', () => {
  it('has mean, median and 99th percentile', () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(spreadOf(values)).toEqual({ count: 200, mean: 100.5, median: 100.5, p90: 180, p99: 198 });
    expect(spreadOf([3, 1, 2])).toEqual({ count: 3, mean: 2, median: 2, p90: 3, p99: 3 });
    expect(spreadOf([])).toEqual({ count: 0, mean: NaN, median: NaN, p90: NaN, p99: NaN });
  });

  it('has the time of a token only of requests with two', () => {
    const latencies = latenciesOf([
      { arrival: 1, firstToken: 2, lastToken: 2, tokens: 1 },
      { arrival: 1, firstToken: 4, lastToken: 8, tokens: 5 },
    ]);
    expect(latencies.ttft).toMatchObject({ count: 2, mean: 2 });
    expect(latencies.tpot).toMatchObject({ count: 1, mean: 1 });
    expect(latencies.endToEnd).toMatchObject({ count: 2, mean: 4 });
  });
});
