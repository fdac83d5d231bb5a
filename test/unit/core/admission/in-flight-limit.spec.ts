import { DrainRate } from '../../../../src/core/admission/drain-rate.js';
import { type EngineLoad, InFlightLimit } from '../../../../src/core/admission/in-flight-limit.js';

const targets = { ttft: 2, tpot: 0.05 };
const load = (now: number, inFlight: number): EngineLoad => ({
  ...{ now, seconds: 0.1, inFlight, rate: 1_000, least: 10 },
});

/** First tokens that come after so many seconds. */
const begin = (limit: InFlightLimit, now: number, seconds: number, count = 3): void => {
  for (let at = 0; at < count; at++) {
    limit.heedSent();
    limit.heedFirstToken(seconds, now - seconds * 1e3);
  }
};

describe('how much engines may have at once', () => {
  it('is without a limit until they were late', () => {
    const limit = new InFlightLimit();
    begin(limit, 1_000, 0.9);
    limit.pass(load(1_000, 1e9), targets);
    expect(limit.value).toBe(Infinity);
    expect(limit.ttft).toBeCloseTo(0.9);
  });

  it('is not judged by one request or two', () => {
    const limit = new InFlightLimit();
    begin(limit, 60_000, 50, 2);
    limit.pass(load(60_000, 100), targets);
    expect(limit.value).toBe(Infinity);
  });

  it('is cut once when first tokens are late, and again only for what was sent since', () => {
    const limit = new InFlightLimit();
    begin(limit, 5_000, 1.2);
    limit.pass(load(5_000, 1_000), targets);
    // A fifth too late: a tenth less.
    expect(limit.value).toBeCloseTo(900);
    begin(limit, 6_000, 3, 20);
    limit.pass(load(6_000, 1_000), targets);
    expect(limit.value).toBeCloseTo(900);
    begin(limit, 9_000, 3);
    limit.pass(load(9_000, 1_000), targets);
    // The most at once.
    expect(limit.value).toBeCloseTo(630);
  });

  it('is cut when most of what was sent in a span brings nothing in the next one', () => {
    const limit = new InFlightLimit();
    limit.pass(load(0, 0), targets);
    for (let at = 0; at < 10; at++) limit.heedSent();
    limit.heedFirstToken(0.1, 100);
    limit.pass(load(1_999, 500), targets);
    limit.pass(load(2_000, 500), targets);
    expect(limit.value).toBe(Infinity);
    limit.pass(load(4_000, 500), targets);
    expect(limit.value).toBeCloseTo(350);
    // Those of before are not held against it again.
    limit.pass(load(6_000, 500), targets);
    expect(limit.value).toBeCloseTo(350);
  });

  it('falls by a share of what is turned over while tokens are slow, and grows while they are quick', () => {
    const limit = new InFlightLimit();
    begin(limit, 0, 0.1);
    for (let now = -1_000; now <= 0; now += 100) {
      limit.heedTokens(1.1 * 4.25, 100);
      expect(limit.value).toBe(Infinity);
      limit.pass(load(now, 1_000), targets);
    }
    // A tenth too slow: that much less.
    const first = limit.value;
    expect(first).toBeCloseTo(1_000 / 1.1);
    limit.heedTokens(1.1 * 4.25, 100);
    limit.pass(load(50, first), targets);
    // Counts thrice, for a tenth of the time in which what is in flight is turned over.
    const fallen = limit.value;
    expect(fallen).toBeCloseTo(first * (1 - (0.3 * 0.1) / (first / 1_000)), 1);
    limit.pass(load(100, fallen * 1.1), targets);
    expect(limit.value).toBe(fallen);
    limit.heedTokens(1_000, 100_000);
    limit.pass(load(200, fallen), targets);
    expect(limit.value).toBeGreaterThan(fallen);
    const grown = limit.value;
    limit.pass(load(300, grown / 2), targets);
    expect(limit.value).toBe(grown);
  });

  it('does not fall below the least', () => {
    const limit = new InFlightLimit();
    for (let now = 10_000; now < 1e6; now += 10_000) {
      begin(limit, now, 5);
      limit.pass(load(now, 100), targets);
    }
    expect(limit.value).toBe(10);
  });

  it('judges an answer that is no stream as a whole', () => {
    const limit = new InFlightLimit();
    for (let at = 0; at < 20; at++) limit.heedWhole(6, 0, 100, targets);
    limit.pass(load(10_000, 1_000), targets);
    // 1 s and a hundred tokens of 42.5 ms: 5.25 s.
    expect(limit.value).toBeCloseTo(1_000 * (1 - (6 / 5.25 - 1) / 2));
  });

  it('follows the number of engines', () => {
    const limit = new InFlightLimit();
    begin(limit, 5_000, 5);
    limit.pass(load(5_000, 1_000), targets);
    limit.scale(2);
    expect(limit.value).toBeCloseTo(1_400);
  });
});

describe('how fast engines get work done', () => {
  it('is not known before they were busy for a second', () => {
    const rate = new DrainRate();
    rate.add(500);
    rate.pass(10, false);
    expect(rate.value).toBeNull();
    rate.add(500);
    rate.pass(0.9, true);
    expect(rate.value).toBeNull();
    rate.add(100);
    rate.pass(0.3, true);
    expect(rate.value).toBeCloseTo(500, -1);
  });

  it('is that of busy times, the last ones most', () => {
    const rate = new DrainRate();
    for (let at = 0; at < 300; at++) {
      rate.add(100);
      rate.pass(0.1, true);
    }
    expect(rate.value).toBeCloseTo(1_000);
    for (let at = 0; at < 100; at++) rate.pass(0.1, false);
    expect(rate.value).toBeCloseTo(1_000);
    for (let at = 0; at < 600; at++) {
      rate.add(50);
      rate.pass(0.1, true);
    }
    expect(rate.value).toBeCloseTo(500, 0);
    rate.scale(3);
    expect(rate.value).toBeCloseTo(1_500, -1);
  });
});
