import { TokenIntake } from '../../../../src/core/cost/token-intake.js';
import { costOf, costWeights, crowding } from '../../../../src/core/cost/cost.js';

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
      { wait: 20, sequence: 8_000 },
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

  it('counts the delay of running answers as longer where the engine is crowded with prompts', () => {
    expect(costOf(weights, 1_000, 300, 5, 1, 0, 4)).toBe(4 * 1_300 + 5 * 4_450);
  });

  it('keeps a conversation where its prefix is until waiting there costs more than computing it elsewhere', () => {
    // 8,000 tokens cached on one engine; its queue grows.
    const elsewhere = costOf(weights, 8_000, 0, 4, 1);
    expect(costOf(weights, 100, 7_000, 4, 1)).toBeLessThan(elsewhere);
    expect(costOf(weights, 100, 18_000, 4, 1)).toBeGreaterThan(elsewhere);
  });
});

describe('crowding', () => {
  it.each([
    [0, 10_000, 1],
    [5_000, 10_000, 2],
    [8_000, 10_000, 5],
    [10_000, 10_000, 10],
    [1e9, 10_000, 10],
    [5_000, 0, 1],
    [NaN, 10_000, 1],
    [-1, 10_000, 1],
  ])('%d tokens a second into %d', (intake, rate, expected) => {
    expect(crowding(intake, rate)).toBeCloseTo(expected, 9);
  });
});

describe('TokenIntake', () => {
  it('is a rate over the last five seconds, in which older tokens count less', () => {
    const intake = new TokenIntake();
    expect(intake.rate(0)).toBe(0);
    intake.send(5_000, 1_000);
    expect(intake.rate(1_000)).toBe(1_000);
    expect(intake.rate(6_000)).toBeCloseTo(1_000 / Math.E, 9);
  });

  it('comes to the rate of an even stream', () => {
    const intake = new TokenIntake();
    for (let at = 0; at < 60_000; at += 10) intake.send(20, at);
    expect(intake.rate(60_000)).toBeCloseTo(2_000, -1);
  });

  it('tells other processes what was sent here since it told last, and not what they told', () => {
    const [here, there] = [new TokenIntake(), new TokenIntake()];
    here.send(100, 0);
    here.send(50, 0);
    there.heed(here.takeUntold(), 0);
    expect(there.rate(0)).toBe(here.rate(0));
    expect([here.takeUntold(), there.takeUntold()]).toEqual([0, 0]);
  });

  it.each([NaN, Infinity, -1, 0, '5', null, 1e10])('does not hear %p', (odd) => {
    const intake = new TokenIntake();
    intake.heed(odd, 0);
    intake.heed(100, NaN);
    expect(intake.rate(0)).toBe(0);
  });

  it('does not run backwards with a clock that does', () => {
    const intake = new TokenIntake();
    intake.send(100, 10_000);
    intake.send(100, 5_000);
    expect(intake.rate(4_000)).toBe(40);
  });
});
