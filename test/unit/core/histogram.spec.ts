import { Histogram, INTER_TOKEN_SECONDS, REQUEST_SECONDS } from '../../../src/core/histogram.js';

describe('Histogram', () => {
  it('counts a value at each bound that it does not exceed', () => {
    const histogram = new Histogram([0.1, 1, 10]);
    for (const value of [0.05, 0.1, 0.5, 10, 11]) histogram.observe(value);
    expect([...histogram.cumulative()]).toEqual([2, 3, 4, 5]);
    expect(histogram.count).toBe(5);
    expect(histogram.sum).toBeCloseTo(21.65);
  });

  it('leaves out what is no finite number, and takes less than nothing as nothing', () => {
    const histogram = new Histogram([1]);
    for (const value of [NaN, Infinity, -Infinity]) histogram.observe(value);
    expect(histogram.count).toBe(0);
    histogram.observe(-3);
    expect([histogram.count, histogram.sum]).toEqual([1, 0]);
  });

  it.each([REQUEST_SECONDS, INTER_TOKEN_SECONDS])('has ascending bounds', (...bounds) => {
    expect(bounds).toEqual([...bounds].sort((a, b) => a - b));
    expect(new Set(bounds).size).toBe(bounds.length);
  });
});
