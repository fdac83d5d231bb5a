import type { AttemptEvent } from '../../../src/core/attempt-event.js';
import type { Candidate, Ranking } from '../../../src/core/ranking.js';
import type { RequestFacts } from '../../../src/core/request-facts.js';
import { RoutingStrategy, type StrategyShare } from '../../../src/routing/routing-strategy.js';
import { PROFILES } from '../../../src/simulator/model/engine-profile.js';
import { poissonArrivals } from '../../../src/simulator/virtual/arrivals.js';
import { runStrategy, type StrategyRun } from '../../../src/what-if/runner/run-strategy.js';

/** What instances of the strategy below have heard. */
const heard: { events: AttemptEvent[]; inFlight: number[][]; news: unknown[]; scrapes: number } = {
  ...{ events: [], inFlight: [], news: [], scrapes: 0 },
};

class ListeningStrategy extends RoutingStrategy {
  static readonly strategyName = 'listening';
  override readonly needsAnswer = true;
  #seen = 0;
  override readonly share: StrategyShare = {
    take: () => (this.#seen > 0 ? { seen: this.#seen } : null),
    heed: (_from, news) => void heard.news.push(news),
    forget: () => {},
  };

  override rank(_request: RequestFacts, candidates: readonly Candidate[]): Ranking {
    heard.inFlight.push(candidates.map(({ signals }) => signals.inFlight));
    return [...candidates].reverse().map((candidate) => ({ candidate, reason: 'the last one' }));
  }

  override observe(event: AttemptEvent): void {
    this.#seen++;
    heard.events.push(event);
  }

  override heedStats(): void {
    heard.scrapes++;
  }
}

const setup = (over: Partial<StrategyRun> = {}): StrategyRun => ({
  strategy: ListeningStrategy,
  engines: [PROFILES['h100-8b'], PROFILES['h100-8b']],
  arrivals: poissonArrivals({
    ...{ seed: 1, rate: 5, count: 20 },
    prompt: { kind: 'fixed', tokens: 200 },
    output: { kind: 'fixed', tokens: 30 },
  }),
  ...{ until: 30, seed: 1, ...over },
});

beforeEach(() => Object.assign(heard, { events: [], inFlight: [], news: [], scrapes: 0 }));

describe('a strategy in virtual time', () => {
  it('chooses the engine that it ranks first', () => {
    const { results } = runStrategy(setup());
    expect(results).toHaveLength(20);
    expect(results.every(({ engine, outcome }) => engine === 1 && outcome === 'finished')).toBe(true);
  });

  it('hears of each attempt what the proxy would tell it, in that order and at those times', () => {
    const { results } = runStrategy(setup());
    const { request } = results[0]!;
    const mine = heard.events.filter(({ request: { id } }) => id === `request-${request.id}`);
    expect(mine.map(({ type }) => type)).toEqual(['dispatched', 'firstToken', 'finished']);
    const [sent, first, end] = mine;
    expect(sent?.at).toBeCloseTo(request.arrival * 1e3, 6);
    expect(first?.at).toBeCloseTo((results[0]?.firstToken ?? NaN) * 1e3, 6);
    expect(sent).toMatchObject({ ranked: { reason: 'the last one' }, attempt: 1 });
    expect(end).toMatchObject({
      ...{ outcome: 'done', pieces: 30, answer: 'x'.repeat(30) },
      usage: { prompt: 200, completion: 30, cached: 0 },
    });
  });

  it('sees its own requests in flight and none after their end', () => {
    runStrategy(setup());
    expect(heard.inFlight[0]).toEqual([0, 0]);
    expect(Math.max(...heard.inFlight.map((seen) => seen[1] ?? 0))).toBeGreaterThan(0);
    expect(heard.inFlight.every((seen) => seen[0] === 0)).toBe(true);
  });

  it('hears of a refusal as a failed attempt', () => {
    const { results } = runStrategy(setup({ model: { maxQueuedRequests: 1 } }));
    const refused = results.filter(({ outcome }) => outcome === 'queue_full').length;
    expect(refused).toBeGreaterThan(0);
    const failed = heard.events.filter((event) => event.type === 'finished' && event.status === 503);
    expect(failed).toHaveLength(refused);
    expect(failed[0]).toMatchObject({ outcome: 'failed', cause: 'queue_full', usage: null });
  });

  it('sees the metrics of both engines every 5 s, or never', () => {
    runStrategy(setup({ until: 3 }));
    expect(heard.scrapes).toBe(0);
    runStrategy(setup({ until: 30, scrapeSeconds: 0.5 }));
    expect(heard.scrapes).toBeGreaterThan(10);
    heard.scrapes = 0;
    runStrategy(setup({ scrapeSeconds: null }));
    expect(heard.scrapes).toBe(0);
  });

  it('gives the same run for the same setup', () => {
    expect(runStrategy(setup()).results).toEqual(runStrategy(setup()).results);
  });
});

describe('two processes of a router', () => {
  it('hear of each other what they have in flight and have learned', () => {
    runStrategy(setup({ routers: 2 }));
    expect(heard.news.length).toBeGreaterThan(0);
  });

  it('do not when they are kept apart', () => {
    runStrategy(setup({ routers: 2, share: false }));
    expect(heard.news).toEqual([]);
  });
});
