import type { HealthNews } from '../core/health/health-news.js';
import type { Mark } from './messages.js';

/**
 * An ejection or a return is never replaced by a passing sign, in whatever order workers tell them, and neither is what
 * an operator wants.
 */
const KINDS: Readonly<Record<HealthNews['what'], string>> = {
  suspect: 'sign',
  answered: 'sign',
  probing: 'sign',
  ejected: 'turn',
  back: 'turn',
  drained: 'order',
  returned: 'order',
};

/** What is not told yet of engines' health: the newest of each kind. Bounded by the engines. */
export class HealthMarks {
  readonly #marks = new Map<string, Mark>();

  get size(): number {
    return this.#marks.size;
  }

  /** @param news with times of this process */
  add(engineId: string, news: HealthNews): void {
    this.#marks.set(`${KINDS[news.what]} ${engineId}`, { engineId, news });
  }

  /** All of them, with ages instead of times, since clocks differ between processes; none is left. */
  take(now: number): readonly Mark[] {
    const marks = [...this.#marks.values()].map(({ engineId, news }) => ({
      engineId,
      news: turned(news, now),
    }));
    this.#marks.clear();
    return marks;
  }
}

/** Turns times into ages at `now`, and ages into times. */
export function turned(news: HealthNews, now: number): HealthNews {
  if (news.what === 'ejected') return { ...news, at: now - news.at, until: now - news.until };
  if (news.what === 'back') return { ...news, at: now - news.at, sentAt: now - news.sentAt };
  return { ...news, at: now - news.at };
}
