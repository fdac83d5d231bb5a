import * as fc from 'fast-check';
import { RetryBudget } from '../../../src/core/retry-budget.js';

/** How many retries can be taken at one moment. */
function taken(budget: RetryBudget, now: number): number {
  let count = 0;
  while (budget.take(now)) count++;
  return count;
}

describe('the budget of retries', () => {
  it('has a floor that needs no requests', () => {
    expect(taken(new RetryBudget(), 0)).toBe(10);
    expect(taken(new RetryBudget(0.2, 3), 123_456)).toBe(3);
  });

  it('is a share of the requests of the last ten seconds', () => {
    const budget = new RetryBudget(0.2, 10);
    for (let i = 0; i < 100; i++) budget.request(i * 90);
    expect(taken(budget, 9_000)).toBe(20);
    expect(budget.take(9_999)).toBe(false);
  });

  it('comes back as requests and retries grow old, second by second', () => {
    const budget = new RetryBudget(0.5, 0);
    for (let i = 0; i < 10; i++) budget.request(500);
    expect(taken(budget, 900)).toBe(5);
    for (let i = 0; i < 4; i++) budget.request(9_500);
    // The old requests still count, and so do their retries.
    expect(taken(budget, 9_900)).toBe(2);
    expect(taken(budget, 10_500)).toBe(0);
    expect(taken(budget, 25_000)).toBe(0);
  });

  it('counts what other processes counted, and tells them what it counted itself, once', () => {
    const budget = new RetryBudget(0.5, 0);
    for (let i = 0; i < 4; i++) budget.request(0);
    budget.add({ requests: 16, retries: 7, early: 0 }, 0);
    expect(taken(budget, 0)).toBe(3);
    expect([budget.takeNews(), budget.takeNews()]).toEqual([
      { requests: 4, retries: 3, early: 0 },
      { requests: 0, retries: 0, early: 0 },
    ]);
  });

  it('keeps early attempts within a share of their own, which counts against that of all retries', () => {
    const early = (budget: RetryBudget, now: number): number => {
      let count = 0;
      while (budget.takeEarly(now)) count++;
      return count;
    };
    const budget = new RetryBudget(0.2, 10);
    expect(early(budget, 0)).toBe(0);
    for (let i = 0; i < 200; i++) budget.request(0);
    expect([budget.hasEarly(0), early(budget, 0), budget.hasEarly(0)]).toEqual([true, 10, false]);
    expect(taken(budget, 0)).toBe(30);
    budget.request(20_000);
    expect([early(budget, 20_000), taken(budget, 20_000)]).toEqual([1, 9]);
    // Nothing is left of all retries: no early one either, though its own share would allow it.
    for (let i = 0; i < 30; i++) budget.request(20_000);
    expect([budget.hasEarly(20_000), budget.takeEarly(20_000)]).toEqual([true, false]);
    budget.add({ requests: 0, retries: 0, early: 5 }, 20_000);
    expect(budget.hasEarly(20_000)).toBe(false);
  });

  it('forgets everything after a long silence', () => {
    const budget = new RetryBudget(0.5, 1);
    for (let i = 0; i < 1_000; i++) budget.request(1_000);
    expect(taken(budget, 1_000)).toBe(500);
    expect(taken(budget, 1e12)).toBe(1);
  });

  it('never lets more through in ten seconds than its share and floor allow', () => {
    const event = fc.tuple(fc.integer({ min: 0, max: 700 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(event, { maxLength: 200 }), (events) => {
        const budget = new RetryBudget(0.2, 3);
        const requests: number[] = [];
        const retries: number[] = [];
        let now = 0;
        for (const [pause, isRequest] of events) {
          now += pause;
          if (isRequest) {
            budget.request(now);
            requests.push(now);
          } else if (budget.take(now)) retries.push(now);
          const recent = (times: readonly number[]): number =>
            times.filter((at) => Math.floor(at / 1_000) > Math.floor(now / 1_000) - 10).length;
          // A retry counts against the requests that were known when it was taken.
          expect(recent(retries)).toBeLessThanOrEqual(Math.max(3, Math.ceil(0.2 * requests.length)));
        }
      }),
    );
  });
});
