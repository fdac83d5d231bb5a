import { hedgeAfter, RecentTimes } from '../../../src/core/recent-times.js';

describe('the recent times of a model', () => {
  it('say nothing while they are few', () => {
    const times = new RecentTimes();
    for (let i = 0; i < 99; i++) times.add(i);
    expect([times.median, times.p99, hedgeAfter(times, 5)]).toEqual([0, Infinity, Infinity]);
  });

  it('have the ranks of the last 512, seldom found anew', () => {
    const times = new RecentTimes();
    for (let i = 1; i <= 128; i++) times.add(i);
    expect([times.median, times.p99]).toEqual([64, 127]);
    times.add(NaN);
    times.add(Infinity);
    for (let i = 0; i < 512; i++) times.add(10);
    expect([times.median, times.p99]).toEqual([10, 10]);
  });

  it('ask for a hedge after the p99 and three times what was predicted, or else the median', () => {
    const times = new RecentTimes();
    for (let i = 0; i < 128; i++) times.add(i < 120 ? 100 : 500);
    expect([hedgeAfter(times, 50), hedgeAfter(times, 400), hedgeAfter(times, null)]).toEqual([
      500, 1_200, 500,
    ]);
    const even = new RecentTimes();
    for (let i = 0; i < 128; i++) even.add(100);
    expect(hedgeAfter(even, null)).toBe(300);
  });
});
