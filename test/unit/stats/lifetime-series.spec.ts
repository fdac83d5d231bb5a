import { countCause, LifetimeSeries, MAX_CAUSES } from '../../../src/stats/lifetime-series.js';
import { engine, request, TestAttempt, TestClock } from './attempts.js';

const A = engine('http://a:8000');

function setUp() {
  const clock = new TestClock();
  const series = new LifetimeSeries();
  return { clock, series, attempt: () => new TestAttempt(clock, A, request(), [series]).dispatch() };
}

describe('LifetimeSeries', () => {
  it('counts outcomes, tokens and times of attempts', () => {
    const { clock, series, attempt } = setUp();
    const one = attempt();
    clock.pass(0.2);
    one.firstToken();
    clock.pass(0.8);
    one.finish({ usage: { prompt: 100, completion: 7, cached: 64 } });
    attempt().finish({ usage: { prompt: 50, completion: 1, cached: null } });
    const counted = series.ofModel(A, 'tiny');
    expect([...counted.outcomes]).toEqual([['done', 2]]);
    expect(counted).toMatchObject({ promptTokens: 150, completionTokens: 8, cachedTokens: 64 });
    expect([counted.timeToFirstToken.count, counted.timeToFirstToken.sum]).toEqual([1, 0.2]);
    expect([counted.duration.count, counted.duration.sum]).toEqual([2, 1]);
  });

  it('tells no tokens that no engine told of, or told wrongly', () => {
    const { series, attempt } = setUp();
    attempt().finish();
    attempt().finish({ usage: { prompt: NaN, completion: -1, cached: 1.5 } });
    expect(series.ofModel(A, 'tiny')).toMatchObject({
      promptTokens: null,
      completionTokens: null,
      cachedTokens: null,
    });
  });

  it('counts errors by cause, else by status, else by outcome; clients that leave are none', () => {
    const { series, attempt } = setUp();
    attempt().finish({ outcome: 'failed', cause: 'refused', status: null });
    attempt().finish({ outcome: 'engine_error', status: 500 });
    attempt().finish({ outcome: 'timeout', status: null });
    attempt().finish({ outcome: 'client_left' });
    const { errors, duration, failedDuration } = series.ofModel(A, 'tiny');
    expect([...errors]).toEqual([
      ['refused', 1],
      ['http_500', 1],
      ['timeout', 1],
    ]);
    expect([duration.count, failedDuration.count]).toEqual([0, 3]);
  });

  it('keeps a bounded number of causes', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < MAX_CAUSES + 10; i++) countCause(counts, `cause ${i}`);
    countCause(counts, 'cause 0');
    expect(counts.size).toBe(MAX_CAUSES + 1);
    expect([counts.get('cause 0'), counts.get('other')]).toEqual([2, 10]);
  });
});
