import type { HealthNews } from '../../../src/core/health/health-news.js';
import { HealthMarks, turned } from '../../../src/workers/health-marks.js';

const EJECTED: HealthNews = { what: 'ejected', cause: 'refused', at: 100, until: 5_100, inARow: 1 };

it('tells the newest turn and the newest sign of each engine, in ages, once', () => {
  const marks = new HealthMarks();
  marks.add('a', { what: 'back', sentAt: 10, at: 20 });
  marks.add('a', EJECTED);
  marks.add('a', { what: 'suspect', at: 110 });
  marks.add('b', { what: 'suspect', at: 110 });
  marks.add('b', { what: 'answered', at: 150 });
  expect(marks.size).toBe(3);
  expect(marks.take(200)).toEqual([
    { engineId: 'a', news: { ...EJECTED, at: 100, until: -4_900 } },
    { engineId: 'a', news: { what: 'suspect', at: 90 } },
    { engineId: 'b', news: { what: 'answered', at: 50 } },
  ]);
  expect([marks.size, marks.take(200)]).toEqual([0, []]);
});

it('gives times back as those of another clock', () => {
  const news: HealthNews[] = [EJECTED, { what: 'back', sentAt: 10, at: 20 }, { what: 'probing', at: 5 }];
  for (const one of news) {
    expect(turned(turned(one, 1_000), 1_000)).toEqual(one);
    expect(turned(turned(one, 1_000), 51_000)).toMatchObject({ at: one.at + 50_000 });
  }
});
