import fc from 'fast-check';
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

  it('adds up to the same, wherever the values were counted', () => {
    const values = fc.array(fc.double({ min: 0, max: 20, noNaN: true }));
    fc.assert(
      fc.property(values, values, (here, there) => {
        const [one, other, both] = [0, 1, 2].map(() => new Histogram([0.1, 1, 10]));
        for (const value of here) one!.observe(value);
        for (const value of there) other!.observe(value);
        for (const value of [...here, ...there]) both!.observe(value);
        one!.add(other!.state);
        expect(one!.cumulative()).toEqual(both!.cumulative());
        expect(one!.sum).toBeCloseTo(both!.sum);
      }),
    );
  });

  it.each([REQUEST_SECONDS, INTER_TOKEN_SECONDS])('has ascending bounds', (...bounds) => {
    expect(bounds).toEqual([...bounds].sort((a, b) => a - b));
    expect(new Set(bounds).size).toBe(bounds.length);
  });
});
