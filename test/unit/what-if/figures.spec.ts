import type { VirtualResult } from '../../../src/simulator/virtual/virtual-request.js';
import { arrivedIn, goodputOf, meets, tpotOf, ttftOf } from '../../../src/what-if/goodput.js';
import { imbalanceOf } from '../../../src/what-if/imbalance.js';
import { intervalOf, pairedInterval, pairedRatio } from '../../../src/what-if/interval.js';
import { figuresOf } from '../../../src/what-if/run-figures.js';
import { TARGETS } from '../../../src/what-if/targets.js';

const targets = TARGETS['h100-8b'];

/** Arrives at 100 s; 100 prompt tokens of which 40 were cached; 11 tokens. */
function result(overrides: Partial<VirtualResult> = {}, arrival = 100): VirtualResult {
  return {
    request: {
      id: 1,
      arrival,
      session: 's',
      spec: { promptTokens: new Int32Array(100), cacheKey: 'm', adapter: null, maxTokens: 11 },
    },
    outcome: 'finished',
    engine: 0,
    firstToken: arrival + 1,
    end: arrival + 1.25,
    tokens: 11,
    cachedTokens: 40,
    preemptions: 0,
    ...overrides,
  };
}

const refused = result({ outcome: 'queue_full', firstToken: null, end: 100, tokens: 0, cachedTokens: 0 });
const waits = result({ outcome: 'unfinished', firstToken: null, end: 130, tokens: 0, cachedTokens: 0 });
const answering = result({ outcome: 'unfinished', end: 130, tokens: 5 });

describe('a request', () => {
  it('meets the targets when it begins in time and goes on fast enough', () => {
    expect(ttftOf(result())).toBe(1);
    expect(tpotOf(result())).toBe(0.025);
    expect(meets(result(), targets)).toBe(true);
    expect(meets(result({ firstToken: 102, end: 102.5 }), targets)).toBe(true);
    expect(meets(result({ firstToken: 102.01, end: 102.5 }), targets)).toBe(false);
    expect(meets(result({ end: 101.51 }), targets)).toBe(false);
    expect(meets(result({ tokens: 1, end: 101 }), targets)).toBe(true);
    expect(tpotOf(result({ tokens: 1, end: 101 }))).toBeNull();
    expect(meets(result({ outcome: 'unfinished' }), targets)).toBe(true);
    for (const missed of [refused, waits, answering]) expect(meets(missed, targets)).toBe(false);
  });

  it('counts by its arrival, failed or not', () => {
    const results = [result({}, 59.9), result({}, 60), result({}, 219.9), result({}, 220), waits];
    expect(arrivedIn(results, { from: 60, to: 220 })).toEqual([results[1], results[2], waits]);
    expect(goodputOf([result(), result(), refused, waits], targets)).toBe(0.5);
    expect(goodputOf([], targets)).toBeNaN();
  });
});

describe('the figures of a run', () => {
  const results = [result({ engine: 1 }), result({}, 10), refused, waits, answering];
  const figures = figuresOf({ results }, 2, { from: 60, to: 220 }, targets);

  it('count what failed', () => {
    expect(figures).toMatchObject({ requests: 4, goodput: 0.25, refused: 1, unfinished: 2, hitRate: 0.4 });
  });

  it('take the time that a request has waited for its least time to first token', () => {
    expect(figures.ttft).toEqual({ count: 3, mean: 32 / 3, median: 1, p90: 30, p99: 30 });
    // 29 s for 4 tokens so far.
    expect(figures.tpot).toMatchObject({ count: 2, mean: (0.025 + 7.25) / 2 });
  });

  it('weigh the engines by computed tokens', () => {
    // 60 uncached and 11 generated against 60 and 5.
    expect(figures.imbalance).toBeCloseTo(71 / 68, 12);
    expect(imbalanceOf([result(), result()], 4)).toBe(4);
    expect(imbalanceOf([refused], 4)).toBeNaN();
  });
});

describe('an interval', () => {
  it('is that of Student for six seeds', () => {
    // Mean 3.5, variance 3.5, t of 5 degrees of freedom 2.571.
    const { mean, low, high } = intervalOf([1, 2, 3, 4, 5, 6]);
    expect(mean).toBe(3.5);
    expect(low).toBeCloseTo(3.5 - 2.571 * Math.sqrt(3.5 / 6), 12);
    expect(high).toBeCloseTo(3.5 + 2.571 * Math.sqrt(3.5 / 6), 12);
  });

  it('of pairs is that of their differences', () => {
    expect(pairedInterval([5, 7, 9], [4, 6, 8])).toEqual({ mean: 1, low: 1, high: 1 });
    expect(pairedInterval([1, 2], [1, 4])).toEqual({ mean: -1, low: -1 - 12.706, high: -1 + 12.706 });
    expect(() => pairedInterval([1], [1, 2])).toThrow(RangeError);
  });

  it('of ratios is that of their logarithms', () => {
    const { mean, low, high } = pairedRatio([2, 1], [1, 2]);
    expect(mean).toBeCloseTo(1, 12);
    expect(low * high).toBeCloseTo(1, 9);
    const same = pairedRatio([3, 6], [1, 2]);
    expect([same.low, same.high].map((bound) => bound.toFixed(9))).toEqual(['3.000000000', '3.000000000']);
  });

  it('says nothing of one value, and is nothing without values', () => {
    expect(intervalOf([7])).toEqual({ mean: 7, low: -Infinity, high: Infinity });
    expect(intervalOf([])).toEqual({ mean: NaN, low: NaN, high: NaN });
  });
});
