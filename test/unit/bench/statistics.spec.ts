import fc from 'fast-check';

interface Window {
  readonly [key: string]: number | readonly number[];
}

const { quantile, median, quieterHalf, loopFigures, pacedFigures, latencyFigures } =
  require('../../../bench/statistics.mjs') as {
    quantile(samples: readonly number[], p: number): number;
    median(samples: readonly number[]): number;
    quieterHalf<T>(windows: readonly T[], disturbance: (window: T) => number): T[];
    loopFigures(windows: readonly Window[], unit?: string): Record<string, number>;
    pacedFigures(windows: readonly Window[]): Record<string, number>;
    latencyFigures(windows: readonly Window[], key: string): Record<string, number>;
  };

const samples = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 50 });

describe('the statistics of the benchmark', () => {
  it('take quantiles from the samples themselves, rising with the share', () => {
    fc.assert(
      fc.property(samples, (values) => {
        const found = [0, 0.1, 0.5, 0.99, 1].map((p) => quantile(values, p));
        expect(found.every((value) => values.includes(value))).toBe(true);
        expect(found).toEqual([...found].sort((a, b) => a - b));
        expect([found[0], found[4]]).toEqual([Math.min(...values), Math.max(...values)]);
      }),
    );
  });

  it('put as many samples below the median as above it', () => {
    fc.assert(
      fc.property(samples, (values) => {
        const middle = median(values);
        const below = values.filter((value) => value < middle).length;
        const above = values.filter((value) => value > middle).length;
        expect(Math.max(below, above)).toBeLessThanOrEqual(values.length / 2);
      }),
    );
    expect(median([1, 4])).toBe(2.5);
  });

  it('know nothing of no samples', () => {
    expect(quantile([], 0.5)).toBeNaN();
    expect(median([])).toBeNaN();
  });

  it('keep the half of the windows that was disturbed least, and three at least', () => {
    expect(quieterHalf([5, 1, 4, 2, 3, 9, 8, 7], (value) => value)).toEqual([1, 2, 3, 4]);
    expect(quieterHalf([3, 1, 2], (value) => value)).toEqual([1, 2, 3]);
  });

  it('divide processor time by what was done, and leave out windows in which nothing was', () => {
    const figures = loopFigures([
      { cpu_us: 1000, done: 10, ms: 10 },
      { cpu_us: 3000, done: 10, ms: 10 },
      { cpu_us: 999, done: 0, ms: 10 },
    ]);
    expect(figures).toEqual({ cost: 100, costMedian: 200, perSecond: 1000, busy: 0.2 });
  });

  it('do not let a starved window make paced chunks look cheap', () => {
    const window = (cpu: number, lag: number): Window => ({
      ...{ cpu_us: cpu, chunks: 10, ms: 10, lag500: lag, lag900: lag, lag990: lag },
    });
    const fair = [window(300, 10), window(310, 11), window(290, 12)];
    expect(pacedFigures([window(50, 900), ...fair, window(40, 950)])).toMatchObject({ cost: 30, lag50: 11 });
  });

  it('take latencies from the quieter windows together', () => {
    const figures = latencyFigures(
      [{ first: [1, 2] }, { first: [900] }, { first: [3] }, { first: [4] }],
      'first',
    );
    expect(figures).toEqual({ n: 4, p50: 3, p99: 4 });
  });
});
