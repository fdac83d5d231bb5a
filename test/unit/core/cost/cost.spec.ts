import { costOf, costWeights } from '../../../../src/core/cost/cost.js';

const sources = { output: 200, ttftTarget: 2, tpotTarget: 0.05, slope: null, prefillRate: null };

describe('the weights of a cost', () => {
  it('begin at 20 and 450 for usual answers and targets', () => {
    expect(costWeights(sources)).toEqual({ wait: 20, sequence: 450 });
  });

  it('weigh waiting by how long answers are beside the time that the first token has', () => {
    expect(costWeights({ ...sources, output: 120 }).wait).toBe(12);
    expect(costWeights({ ...sources, ttftTarget: 1 }).wait).toBe(40);
    expect(costWeights({ ...sources, tpotTarget: 0.1 }).wait).toBe(40);
  });

  it('weigh a decoding sequence by the prompt tokens of the time that it takes', () => {
    // 64 us a token and sequence, 200 tokens, 35,000 prompt tokens a second: 448.
    expect(costWeights({ ...sources, slope: 64e-6, prefillRate: 35_000 }).sequence).toBeCloseTo(448, 9);
  });

  it.each([
    [{ output: 0 }, { wait: 4, sequence: 450 }],
    [{ output: 100_000 }, { wait: 64, sequence: 450 }],
    [{ output: NaN }, { wait: 4, sequence: 450 }],
    [
      { slope: 0, prefillRate: 35_000 },
      { wait: 20, sequence: 64 },
    ],
    [
      { slope: 1, prefillRate: 35_000 },
      { wait: 20, sequence: 2_000 },
    ],
  ])('stay within bounds: %j', (over, expected) => {
    expect(costWeights({ ...sources, ...over })).toEqual(expected);
  });
});

describe('the cost of an engine', () => {
  const weights = { wait: 4, sequence: 450 };

  it('is slowness x (w (pending + uncached) + in flight (uncached + d))', () => {
    expect(costOf(weights, 1_000, 300, 5, 2)).toBe(2 * (4 * 1_300 + 5 * 1_450));
  });

  it('counts the loading of an adapter as a longer prompt', () => {
    expect(costOf(weights, 1_000, 0, 3, 1, 500)).toBe(costOf(weights, 1_500, 0, 3, 1));
  });

  it('keeps a conversation where its prefix is until waiting there costs more than computing it elsewhere', () => {
    // 8,000 tokens cached on one engine; its queue grows.
    const elsewhere = costOf(weights, 8_000, 0, 4, 1);
    expect(costOf(weights, 100, 7_000, 4, 1)).toBeLessThan(elsewhere);
    expect(costOf(weights, 100, 18_000, 4, 1)).toBeGreaterThan(elsewhere);
  });
});
