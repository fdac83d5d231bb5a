import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { LiveNews, LiveView } from '../../../src/core/live/live-view.js';
import { RouterError } from '../../../src/core/errors.js';
import { SampleRing } from '../../../src/core/live/sample-ring.js';
import { LiveFeed, MOST_VIEWERS } from '../../../src/dashboard/live-feed.js';
import { LiveSource } from '../../../src/dashboard/live-source.js';
import type { HealthService } from '../../../src/health/health.service.js';
import { DrainState } from '../../../src/proxy/drain-state.js';

/** A response whose client takes what is written only when it is told to. */
class Client extends EventEmitter {
  takes = true;
  gone = false;
  readonly frames: string[] = [];

  write(frame: string): boolean {
    this.frames.push(frame);
    return this.takes;
  }
  end(): void {
    this.destroy();
  }
  destroy(): void {
    this.gone = true;
    this.emit('close');
  }
  /** What it was told, in its order. */
  get news(): LiveNews[] {
    return this.frames
      .filter((frame) => frame.startsWith('data: '))
      .map((frame) => JSON.parse(frame.slice('data: '.length)) as LiveNews);
  }
}

class Source extends LiveSource {
  asked = 0;
  late = false;

  override async view(): Promise<LiveView> {
    this.asked++;
    if (this.late) throw new RouterError(503, 'overloaded', 'late');
    const view = { at: this.asked, rows: [], cards: [], flows: [], occurrences: [], decisions: [] };
    return { ...view, sample: null, settingsMark: 1, router: {}, totals: {} } as unknown as LiveView;
  }
  override async past() {
    return { samples: new SampleRing().all, settings: [] };
  }
}

let source: Source;
let drain: DrainState;
let feed: LiveFeed;
let turn: () => void;
const join = (client = new Client()): Client => {
  feed.join(client as unknown as ServerResponse);
  return client;
};
const seconds = async (count: number): Promise<void> => jest.advanceTimersByTimeAsync(count * 1_000);

beforeEach(() => {
  jest.useFakeTimers();
  source = new Source();
  drain = new DrainState();
  const health = { onTurn: (listener: () => void) => (turn = listener) } as unknown as HealthService;
  feed = new LiveFeed(source, drain, health);
});
afterEach(() => {
  feed.onApplicationShutdown();
  jest.useRealTimers();
});

it('asks for nothing while nobody looks', async () => {
  await seconds(5);
  expect(source.asked).toBe(0);
  const client = join();
  await seconds(3.5);
  expect(source.asked).toBe(4);
  expect(client.news.map(({ first }) => first)).toEqual([true, undefined, undefined, undefined]);
  client.destroy();
  await seconds(5);
  expect([source.asked, jest.getTimerCount()]).toEqual([4, 0]);
});

it('tells everything to each page that comes, and asks once for all of them', async () => {
  const early = join();
  await seconds(2.5);
  const late = join();
  await seconds(1);
  expect(late.news[0]?.first).toBe(true);
  expect([early.news.length, source.asked]).toEqual([4, 4]);
});

it('keeps nothing for a page that does not keep up, and tells it everything once it does', async () => {
  const slow = join();
  const other = join();
  await seconds(1.5);
  slow.takes = false;
  await seconds(1);
  const written = slow.frames.length;
  await seconds(4);
  expect([slow.frames.length, other.news.length]).toEqual([written, 7]);
  slow.takes = true;
  slow.emit('drain');
  await seconds(1);
  expect(slow.news.at(-1)?.first).toBe(true);
  await seconds(1);
  expect(slow.news.at(-1)?.first).toBeUndefined();
});

it('lets go of a page that takes nothing', async () => {
  const slow = join();
  slow.takes = false;
  await seconds(15);
  expect([slow.gone, feed.viewers]).toEqual([true, 0]);
});

it('tells of an engine that has turned at once', async () => {
  const client = join();
  await seconds(0.1);
  turn();
  await seconds(0.3);
  expect(client.news).toHaveLength(2);
  await seconds(1);
  expect(client.news).toHaveLength(3);
});

it('takes so many pages, and none while the router goes down', async () => {
  for (let n = 0; n < MOST_VIEWERS; n++) {
    feed.check();
    join();
  }
  expect(() => feed.check()).toThrow('As many live pages are open as may be');
  drain.drain();
  await seconds(1.5);
  expect(feed.viewers).toBe(0);
  expect(() => feed.check()).toThrow('shutting down');
});

it('shows pages that somebody is there while the figures are late', async () => {
  const client = join();
  await seconds(0.5);
  source.late = true;
  await seconds(2);
  source.late = false;
  expect(client.frames.slice(-2)).toEqual([': late\n\n', ': late\n\n']);
  await seconds(1);
  expect(client.news).toHaveLength(2);
});
