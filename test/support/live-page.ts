import type { IncomingMessage } from 'node:http';
import type { LiveNews } from '../../src/core/live/live-view.js';
import { type Live, withNews } from '../../page/state.js';
import { begin, frameReader, headOf } from './http-client.js';

/** A reader of the live page's events. */
export interface LivePage {
  readonly answer: IncomingMessage;
  /** The next news. */
  next(): Promise<LiveNews>;
  /** What the page knows once `holds` does. */
  until(holds: (live: Live) => boolean): Promise<Live>;
  leave(): void;
}

/** Opens the events of a router, at the address where it has its page. */
export async function openLivePage(url: string, headers: Record<string, string> = {}): Promise<LivePage> {
  const answer = await headOf(begin(`${url}/dashboard/events`, { headers }));
  const frame = frameReader(answer);
  let live: Live | null = null;
  const next = async (): Promise<LiveNews> => {
    for (;;) {
      const text = await frame();
      if (text === null) throw new Error('the events have ended');
      if (!text.startsWith('data: ')) continue;
      const news = JSON.parse(text.slice('data: '.length)) as LiveNews;
      live = withNews(live, news);
      return news;
    }
  };
  return {
    answer,
    next,
    until: async (holds) => {
      while (live === null || !holds(live)) await next();
      return live;
    },
    leave: () => void answer.destroy(),
  };
}
