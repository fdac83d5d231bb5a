interface Line {
  slope: number;
  low: number;
  high: number;
  mean: number;
}

const { trend } = require('../../../show/trend.mjs') as {
  trend(samples: readonly { x: number; y: number }[]): Line;
};

describe('the line through samples', () => {
  it('has the slope of least squares and its interval', () => {
    // R: confint(lm(c(1, 3, 2, 5, 4) ~ c(1, 2, 3, 4, 5)))
    const line = trend([1, 3, 2, 5, 4].map((y, index) => ({ x: index + 1, y })));
    expect(line.slope).toBeCloseTo(0.8, 10);
    expect(line.mean).toBe(3);
    expect(line.low).toBeCloseTo(0.8 - 3.182 * Math.sqrt(3.6 / 3 / 10), 6);
    expect(line.high).toBeCloseTo(0.8 + 3.182 * Math.sqrt(3.6 / 3 / 10), 6);
  });

  it('is sure of a leak, and not of noise', () => {
    const noise = (index: number): number => ((index * 7_919) % 101) / 101;
    const at = (slope: number) =>
      trend(Array.from({ length: 48 }, (_, index) => ({ x: index, y: 30 + slope * index + noise(index) })));
    expect(at(0.05).low).toBeGreaterThan(0);
    expect(at(0).low).toBeLessThan(0);
  });
});
