import { intervalOf, pairedInterval, pairedRatio } from '../../../src/what-if/report/interval.js';

describe('intervals over seeds', () => {
  it('are those of Student with the degrees of freedom of the sample', () => {
    const { mean, half } = intervalOf([1, 2, 3, 4, 5, 6]);
    expect(mean).toBe(3.5);
    // Deviation 1.8708, divided by the root of 6, times 2.571.
    expect(half).toBeCloseTo(1.9636, 3);
  });

  it('say nothing of a single run', () => {
    expect(intervalOf([0.5])).toEqual({ mean: 0.5, half: NaN });
  });

  it('lose what both policies have in common', () => {
    const { mean, half } = pairedInterval([0.9, 0.5, 0.7], [0.8, 0.4, 0.6]);
    expect(mean).toBeCloseTo(0.1, 12);
    expect(half).toBeCloseTo(0, 12);
  });

  it('of ratios are symmetric for twice and half', () => {
    const { ratio, low, high } = pairedRatio([2, 1], [1, 2]);
    expect(ratio).toBeCloseTo(1, 12);
    expect(low * high).toBeCloseTo(1, 9);
  });
});
