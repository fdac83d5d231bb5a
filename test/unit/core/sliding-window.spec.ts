import fc from 'fast-check';
import { SlidingWindow } from '../../../src/core/sliding-window.js';

/** Keeps every value: slow, and beyond doubt. */
class NaiveWindow {
  readonly values: [at: number, value: number][] = [];

  add(at: number, value: number): void {
    this.values.push([at, value]);
  }

  within(now: number, span: number): number[] {
    return this.values.filter(([at]) => at > now - span).map(([, value]) => value);
  }
}

const MINUTE = 60_000;

describe('SlidingWindow', () => {
  it('counts and sums what came within its span', () => {
    const window = new SlidingWindow(MINUTE);
    window.add(0, 2);
    window.add(30_000, 5);
    expect([window.count(59_000), window.sum(59_000)]).toEqual([2, 7]);
    expect([window.count(61_000), window.sum(61_000)]).toEqual([1, 5]);
    expect([window.count(91_000), window.sum(91_000)]).toEqual([0, 0]);
  });

  it('divides by the whole span from the first moment on', () => {
    const window = new SlidingWindow(MINUTE);
    for (let i = 0; i < 30; i++) window.add(1000);
    expect(window.rate(1000)).toBe(0.5);
  });

  it('measures a steady rate without bias, wherever in a bucket it is read', () => {
    const window = new SlidingWindow(MINUTE);
    const rates: number[] = [];
    for (let at = 0; at < 4 * MINUTE; at += 10) {
      window.add(at);
      if (at > MINUTE * 2) rates.push(window.rate(at));
    }
    expect(rates.reduce((sum, rate) => sum + rate, 0) / rates.length).toBeCloseTo(100, 1);
    expect(Math.min(...rates)).toBeGreaterThan(99);
    expect(Math.max(...rates)).toBeLessThan(101);
  });

  it('agrees with a list of all values to half a bucket, whatever comes when', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 100 })), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(
        steps,
        fc.integer({ min: 1_000, max: 120_000 }),
        fc.integer({ min: 0, max: 1e9 }),
        (all, span, start) => {
          const window = new SlidingWindow(span);
          const naive = new NaiveWindow();
          let now = start;
          for (const [gap, value] of all) {
            now += gap;
            window.add(now, value);
            naive.add(now, value);
            const surely = naive.within(now, span - span / 120 - 1e-3);
            const atMost = naive.within(now, span + span / 120 + 1e-3);
            expect(window.count(now)).toBeGreaterThanOrEqual(surely.length);
            expect(window.count(now)).toBeLessThanOrEqual(atMost.length);
            expect(window.sum(now)).toBeGreaterThanOrEqual(surely.reduce((sum, one) => sum + one, 0));
            expect(window.sum(now)).toBeLessThanOrEqual(atMost.reduce((sum, one) => sum + one, 0));
          }
          expect(window.count(now + 2 * span)).toBe(0);
          expect(window.sum(now + 2 * span)).toBe(0);
        },
      ),
    );
  });

  it('builds up no rounding error over many turns of the ring', () => {
    const window = new SlidingWindow(1000);
    let now = 0;
    for (; now < 200_000; now += 7) window.add(now, 0.1 + (now % 3) * 1e6);
    expect(window.sum(now + 5_000)).toBe(0);
    window.add(now + 5_000, 0.1);
    expect(window.sum(now + 5_000)).toBe(0.1);
  });

  it('keeps what the new span still holds when it is resized', () => {
    const window = new SlidingWindow(MINUTE);
    for (let at = 0; at < MINUTE; at += 1000) window.add(at, 1);
    window.resize(MINUTE, 10_000);
    expect(window.span).toBeCloseTo(10_000);
    expect(window.count(MINUTE)).toBeGreaterThanOrEqual(9);
    expect(window.count(MINUTE)).toBeLessThanOrEqual(11);
    expect(window.sum(MINUTE)).toBe(window.count(MINUTE));
    window.resize(MINUTE, MINUTE);
    const kept = window.count(MINUTE);
    window.add(MINUTE, 1);
    expect(window.count(MINUTE)).toBe(kept + 1);
    expect(window.count(3 * MINUTE)).toBe(0);
  });

  it('agrees with the list after any resize, to one bucket of either span', () => {
    const spans = fc.integer({ min: 1_000, max: 120_000 });
    const gaps = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(gaps, spans, spans, (all, before, after) => {
        const window = new SlidingWindow(before);
        const naive = new NaiveWindow();
        let now = 0;
        for (const gap of all) {
          now += gap;
          window.add(now, 1);
          naive.add(now, 1);
        }
        window.resize(now, after);
        const blur = before / 60 + after / 60;
        const reach = Math.min(before, after);
        expect(window.count(now)).toBeGreaterThanOrEqual(naive.within(now, reach - blur).length);
        expect(window.count(now)).toBeLessThanOrEqual(naive.within(now, reach + blur).length);
        expect(window.sum(now)).toBe(window.count(now));
      }),
    );
  });

  it('holds a clock that steps back, and does not hear one that is no number', () => {
    const window = new SlidingWindow(MINUTE);
    window.add(100_000, 1);
    window.add(20_000, 1);
    window.add(NaN, 1);
    window.add(Infinity, 1);
    window.add(100_000, NaN);
    expect(window.count(10)).toBe(2);
    expect(window.count(Infinity)).toBe(2);
    expect(window.count(100_000 + 2 * MINUTE)).toBe(0);
  });

  it.each([0, -1, NaN, Infinity])('refuses a span of %p', (span) => {
    expect(() => new SlidingWindow(span)).toThrow(RangeError);
    expect(() => new SlidingWindow(1000).resize(0, span)).toThrow(RangeError);
  });
});
