import type { EngineHealth } from './engine-health.js';
import type { HealthNews } from './health-news.js';

/** Takes in what another process tells of the engine. */
export function heedNews(health: EngineHealth, news: HealthNews, now: number): void {
  switch (news.what) {
    case 'suspect':
      return;
    case 'answered':
      return void health.answered('output', -Infinity, now);
    case 'ejected':
      return health.learnEjection(news.cause, news.at, news.until, news.inARow);
    case 'probing':
      return health.learnProbe(news.at);
    case 'back':
      return health.learnReturn(news.sentAt, news.at);
    default:
      health.setDrained(news.what === 'drained', news.at);
  }
}

/** What a process that begins now has to know of the engine. */
export function newsInForce(health: EngineHealth, now: number): readonly HealthNews[] {
  const { cause, ejection } = health;
  const news: HealthNews[] = [];
  if (health.out && cause !== null) news.push({ what: 'ejected', cause, ...ejection });
  if (health.drained) news.push({ what: 'drained', at: now });
  return news;
}
