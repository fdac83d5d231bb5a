import { Logger } from '@nestjs/common';
import type { Settings } from '../../../src/config/settings.schema.js';
import { SettingsStore } from '../../../src/config/settings-store.js';
import type { Candidate, Ranked, Ranking } from '../../../src/core/ranking.js';
import type { RequestFacts } from '../../../src/core/request-facts.js';
import { RoutingStrategy, type StrategyClass } from '../../../src/routing/routing-strategy.js';
import { RoutingService } from '../../../src/routing/routing.service.js';
import { ROUTING_STRATEGIES } from '../../../src/routing/strategies/index.js';
import { RoundRobinStrategy } from '../../../src/routing/strategies/round-robin.strategy.js';
import { StrategyRegistry } from '../../../src/routing/strategy-registry.js';
import type { EngineStats } from '../../../src/core/prometheus-text.js';
import { LearningStrategy } from '../../support/learning-strategy.js';
import {
  candidate,
  candidates,
  dispatched,
  engineNumber,
  requestFacts,
  urlsOf,
} from '../../support/strategy.contract.js';

const settingsWith = (over: Partial<Settings>): Settings =>
  ({
    ...{ routingLogic: 'roundrobin', sessionKey: null, sessionLoadFactor: 0, staticBackends: null },
    ...{ prefixIndexMemory: 1024 * 1024, ttftTarget: null, tpotTarget: 0.05 },
    ...over,
  }) as Settings;

function serviceWith(over: Partial<Settings>, more: readonly StrategyClass[] = []): RoutingService {
  return new RoutingService(
    new SettingsStore(settingsWith(over)),
    new StrategyRegistry([...ROUTING_STRATEGIES, ...more]),
  );
}

/** A plugin strategy that ranks with `rank`. */
function plugin(rank: (given: readonly Candidate[]) => unknown): StrategyClass {
  return class extends RoutingStrategy {
    static readonly strategyName = 'mine';

    override rank(_request: RequestFacts, given: readonly Candidate[]): Ranking {
      return rank(given) as Ranking;
    }

    override observe(): void {
      throw new Error('observe is broken');
    }
  };
}

const ranked = (one: Candidate | undefined): Ranked => ({ candidate: one as Candidate, reason: 'mine' });

describe('RoutingService', () => {
  let logged: jest.SpyInstance;
  beforeEach(() => {
    logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
  });
  afterEach(() => logged.mockRestore());

  it.each([
    ...['roundrobin', 'session', 'prefixaware', 'kvaware'],
    ...['leastload', 'loadaware', 'poweroftwo', 'random'],
  ])('knows %s', (routingLogic) => {
    const service = serviceWith({ routingLogic });
    expect(service.strategy).toBe(routingLogic);
    expect(service.rank(requestFacts(), candidates(3))).toHaveLength(3);
  });

  it('refuses an unknown name and names those that exist', () => {
    expect(() => serviceWith({ routingLogic: 'nope' })).toThrow(
      'unknown routing strategy "nope"; known: roundrobin, session, prefixaware, kvaware, leastload, loadaware, poweroftwo, random',
    );
  });

  it('ranks with a plugin strategy under its own name, untouched when it is right', () => {
    const service = serviceWith({ routingLogic: 'mine' }, [
      plugin((given) => [...given].reverse().map(ranked)),
    ]);
    expect(urlsOf(service.rank(requestFacts(), candidates(3)))).toEqual(
      urlsOf(candidates(3).reverse().map(ranked)),
    );
    expect(logged).not.toHaveBeenCalled();
  });

  const faults: [string, (given: readonly Candidate[]) => unknown, number[]][] = [
    [
      'throws',
      () => {
        throw new Error('broken');
      },
      [1, 2, 3],
    ],
    [
      'throws what is no error',
      () => {
        throw Object.create(null);
      },
      [1, 2, 3],
    ],
    ['omits some', (given) => [ranked(given[2])], [3, 1, 2]],
    ['doubles one', (given) => [given[1], given[1], given[0], given[2]].map(ranked), [2, 1, 3]],
    ['invents one', (given) => [ranked(candidate(engineNumber(9))), ...given.map(ranked)], [1, 2, 3]],
    [
      'invents one in place of another',
      (given) => [ranked(candidate(engineNumber(9))), ranked(given[1]), ranked(given[0])],
      [2, 1, 3],
    ],
    ['returns holes', (given) => [null, undefined, 7, ranked(given[1])], [2, 1, 3]],
    ['returns nothing', () => undefined, [1, 2, 3]],
    ['returns a promise', (given) => Promise.resolve(given.map(ranked)), [1, 2, 3]],
  ];

  it.each(faults)(
    'completes the ranking of a strategy that %s, and says so once',
    (_fault, rank, expected) => {
      const service = serviceWith({ routingLogic: 'mine' }, [plugin(rank)]);
      for (let time = 0; time < 3; time++) {
        const ranking = service.rank(requestFacts(), candidates(3));
        expect(urlsOf(ranking)).toEqual(expected.map((number) => engineNumber(number).url));
      }
      expect(logged).toHaveBeenCalledTimes(1);
      expect(logged.mock.calls[0]?.[0]).toContain('"mine"');
    },
  );

  it('never throws out of observe', () => {
    const service = serviceWith({ routingLogic: 'mine' }, [plugin((given) => given.map(ranked))]);
    expect(() => service.observe(dispatched(requestFacts(), engineNumber(1)))).not.toThrow();
    expect(logged).toHaveBeenCalledTimes(1);
  });

  it('switches the strategy on commit, not before, and not after a discard', async () => {
    const service = serviceWith({});
    const change = await service.prepare(settingsWith({ routingLogic: 'session', sessionKey: 'x-user-id' }));
    await change.discard();
    expect(service.strategy).toBe('roundrobin');
    change.commit();
    expect(service.strategy).toBe('session');
    await expect(service.prepare(settingsWith({ routingLogic: 'nope' }))).rejects.toThrow(
      'unknown routing strategy',
    );
    expect(service.strategy).toBe('session');
  });

  it('keeps the state of a strategy through a reload that does not concern it', async () => {
    const service = serviceWith({});
    const given = candidates(3);
    service.observe(dispatched(requestFacts(), given[0]!.engine));
    const other = settingsWith({ staticBackends: ['http://new:8000'], sessionKey: 'x-user-id' });
    (await service.prepare(other)).commit();
    expect(urlsOf(service.rank(requestFacts(), given))[0]).toBe(given[1]?.engine.url);
  });

  it('starts a strategy anew when a setting that it reads changes, lists compared by content', async () => {
    let made = 0;
    class Reading extends RoundRobinStrategy {
      static override readonly strategyName = 'roundrobin' as const;
      static readonly reads = ['sessionKey', 'staticBackends'] as const;
      constructor() {
        super();
        made++;
      }
    }
    const settings = settingsWith({ staticBackends: ['http://a:1'] });
    const service = new RoutingService(new SettingsStore(settings), new StrategyRegistry([Reading]));
    (await service.prepare(settingsWith({ staticBackends: ['http://a:1'] }))).commit();
    expect(made).toBe(1);
    (await service.prepare(settingsWith({ staticBackends: ['http://a:1'], sessionKey: 'x' }))).commit();
    expect(made).toBe(2);
  });
});

describe('a strategy that learns', () => {
  let logged: jest.SpyInstance;
  beforeEach(() => {
    logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => {});
  });
  afterEach(() => logged.mockRestore());

  const stats = (waiting: number): EngineStats => ({ waiting }) as unknown as EngineStats;
  const [a, b] = [engineNumber(1), engineNumber(2)];
  const learning = { routingLogic: 'learning', sessionKey: 'x' };

  it('that takes over is told first which engines there are and what they told of themselves', async () => {
    const service = serviceWith({}, [LearningStrategy]);
    service.retain([a, b]);
    service.heedStats(a, stats(1), 10);
    service.heedStats(b, stats(2), 11);
    service.heedStats(b, null, 12);
    (await service.prepare(settingsWith(learning))).commit();
    const strategy = LearningStrategy.newest;
    expect(strategy.engines).toEqual([a, b]);
    expect(strategy.stats).toEqual([[a.url, stats(1)]]);
    service.heedStats(b, stats(3), 20);
    service.retain([b]);
    expect(strategy.stats).toEqual([
      [a.url, stats(1)],
      [b.url, stats(3)],
    ]);
    expect(strategy.engines).toEqual([b]);
    // Nothing is kept of an engine that has left.
    (await service.prepare(settingsWith({ ...learning, sessionKey: 'y' }))).commit();
    expect(LearningStrategy.newest).not.toBe(strategy);
    expect(LearningStrategy.newest.stats).toEqual([[b.url, stats(3)]]);
    expect([service.needsAnswer, service.needsPrompt]).toEqual([true, true]);
  });

  it('shares with those alone that are made alike', async () => {
    const keyOf = (over: Partial<Settings>): string => serviceWith(over, [LearningStrategy]).shareKey;
    expect(keyOf(learning)).toBe(keyOf({ ...learning, staticBackends: ['http://x:1'] }));
    expect(keyOf(learning)).not.toBe(keyOf({ ...learning, sessionKey: 'y' }));
    expect(keyOf(learning)).not.toBe(keyOf({}));
  });

  it('may fail in whatever it is told: nothing of it comes out, and it is said once', () => {
    const fail = (): never => {
      throw new Error('broken');
    };
    class Broken extends LearningStrategy {
      static override readonly strategyName = 'learning' as const;
      override readonly share = { take: fail, heed: fail, forget: fail };
      override retain(): void {
        fail();
      }
      override heedStats(): void {
        fail();
      }
      override figures(): never {
        return fail();
      }
    }
    const service = serviceWith(learning, [Broken]);
    service.retain([a]);
    service.heedStats(a, stats(1), 1);
    expect(service.takeNews()).toBeNull();
    service.heedNews(1, {});
    service.forgetNews(1);
    expect(service.figures()).toEqual([]);
    expect(logged).toHaveBeenCalledTimes(1);
  });

  it('may have none of it', () => {
    const service = serviceWith({});
    service.retain([a]);
    service.heedNews(1, {});
    service.forgetNews(1);
    expect([service.takeNews(), service.figures(), service.needsAnswer, service.needsPrompt]).toEqual([
      null,
      [],
      false,
      false,
    ]);
  });
});

describe('StrategyRegistry', () => {
  const named = (name: unknown): StrategyClass =>
    Object.assign(
      plugin(() => []),
      { strategyName: name },
    );

  it.each([
    [[RoundRobinStrategy, named('roundrobin')], 'routing strategy "roundrobin" is registered twice'],
    [[...ROUTING_STRATEGIES, named('kvaware')], 'routing strategy "kvaware" is registered twice'],
    [[named('')], 'needs a static strategyName'],
    [[undefined as unknown as StrategyClass], 'needs a static strategyName'],
    [[{ strategyName: 'x' } as unknown as StrategyClass], 'must be a class that extends RoutingStrategy'],
    [
      [
        class {
          static strategyName = 'x';
        } as unknown as StrategyClass,
      ],
      'must be a class that extends RoutingStrategy',
    ],
  ])('refuses %#', (classes, message) => {
    expect(() => new StrategyRegistry(classes as StrategyClass[])).toThrow(message);
  });
});
