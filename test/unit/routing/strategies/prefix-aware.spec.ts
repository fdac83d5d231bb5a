import type { Settings } from '../../../../src/config/settings.schema.js';
import type { AttemptEvent, TokenUsage } from '../../../../src/core/attempt-event.js';
import type { Engine } from '../../../../src/core/engine.js';
import type { Candidate } from '../../../../src/core/ranking.js';
import type { RequestFacts } from '../../../../src/core/request-facts.js';
import { PrefixAwareStrategy } from '../../../../src/routing/strategies/prefix-aware.strategy.js';
import {
  candidate,
  candidates,
  dispatched,
  engineNumber,
  engineStats,
  finished,
  firstToken,
  fixedContext,
  promptOf,
  requestFacts,
  urlsOf,
} from '../../../support/strategy.contract.js';

const engine = (number: number): string => `http://10.0.0.${number}:8000`;
const newStrategy = (): PrefixAwareStrategy =>
  new PrefixAwareStrategy({
    ...{ prefixIndexMemory: 1024 * 1024, ttftTarget: null, tpotTarget: 0.05 },
  } as Settings);

/** Blocks that stand for 64 tokens each. */
const blocks = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from + at);
const asking = (names: readonly number[], over: Partial<RequestFacts> = {}): RequestFacts =>
  requestFacts({ stream: true, prompt: promptOf(names), ...over });
const first = (strategy: PrefixAwareStrategy, request: RequestFacts, given = candidates(4)): string =>
  urlsOf(strategy.rank(request, given, fixedContext()))[0] ?? '';
const termsOf = (strategy: PrefixAwareStrategy, request: RequestFacts, given = candidates(4), now = 1_000) =>
  new Map(
    strategy
      .rank(request, given, { ...fixedContext(), now })
      .map(({ candidate: { engine: each }, terms }) => [each.url, terms]),
  );

/** One whole attempt. */
function serve(
  strategy: PrefixAwareStrategy,
  request: RequestFacts,
  on: Engine,
  over: { usage?: TokenUsage; answer?: string; at?: number; span?: number; heldUp?: boolean } = {},
): void {
  const { usage = null, answer = null, at = 0, span = 1_000, heldUp = false } = over;
  strategy.observe({ ...dispatched(request, on), at });
  strategy.observe({ ...firstToken(request, on), at: at + 100, sinceDispatch: 100 } as AttemptEvent);
  strategy.observe({ ...finished(request, on), at: at + 100 + span, usage, answer, heldUp } as AttemptEvent);
}

describe('prefixaware', () => {
  it('sends a prompt where its prefix is, and says so', () => {
    const strategy = newStrategy();
    serve(strategy, asking(blocks(1, 20)), engineNumber(3));
    const [best, second] = strategy.rank(asking(blocks(1, 30)), candidates(4), fixedContext());
    expect(best?.candidate.engine.url).toBe(engine(3));
    expect(best?.reason).toBe('640 of 1920 prompt tokens to compute, 0 pending, 0 in flight');
    expect(best?.terms).toMatchObject({ uncached: 640, pending: 0, inFlight: 0, slowness: 1 });
    expect(second?.terms?.uncached).toBe(1_920);
  });

  it('knows the prefix while the first request that brought it is still under way', () => {
    const strategy = newStrategy();
    strategy.observe(dispatched(asking(blocks(1, 40)), engineNumber(2)));
    expect(termsOf(strategy, asking([...blocks(1, 40), 99])).get(engine(2))?.uncached).toBe(64);
  });

  it('knows the answer as a part of the next prompt', () => {
    const strategy = newStrategy();
    const request = asking([], { prompt: promptOf(blocks(1, 10), blocks(50, 5)) });
    serve(strategy, request, engineNumber(1), { answer: 'some text' });
    const next = asking([...blocks(1, 10), ...blocks(50, 5), 77]);
    expect(termsOf(strategy, next).get(engine(1))?.uncached).toBe(64);
  });

  it('counts what is pending until the first token, and leaves an engine whose queue is long', () => {
    const strategy = newStrategy();
    const shared = blocks(1, 20);
    serve(strategy, asking(shared), engineNumber(1));
    const under = blocks(0, 9).map((number) => asking([...shared, ...blocks(1_000 * (number + 1), 10)]));
    for (const request of under) strategy.observe(dispatched(request, engineNumber(1)));
    const asked = asking([...shared, 5_000]);
    const busy = candidates(4).map(({ engine: each }, at) => candidate(each, { inFlight: at === 0 ? 9 : 0 }));
    expect(termsOf(strategy, asked, busy).get(engine(1))?.pending).toBe(9 * 640);
    expect(first(strategy, asked, busy)).not.toBe(engine(1));
    for (const request of under) strategy.observe(firstToken(request, engineNumber(1)));
    expect(termsOf(strategy, asked, busy).get(engine(1))?.pending).toBe(0);
    const less = candidates(4).map(({ engine: each }, at) => candidate(each, { inFlight: at === 0 ? 3 : 0 }));
    expect(first(strategy, asked, less)).toBe(engine(1));
  });

  it('lets prompts without a stream go from what is pending after the time that they need', () => {
    const strategy = newStrategy();
    const request = asking(blocks(1, 100), { stream: false });
    strategy.observe({ ...dispatched(request, engineNumber(1)), at: 0 });
    // 6,400 tokens at the usual 10,000 a second.
    const pending = (now: number): number | undefined =>
      termsOf(strategy, asking([7]), candidates(2), now).get(engine(1))?.pending;
    expect([0, 639, 641].map(pending)).toEqual([6_400, 6_400, 0]);
  });

  it('lets go of everything when an attempt fails, however often it is told', () => {
    const strategy = newStrategy();
    const request = asking(blocks(1, 100));
    strategy.observe(dispatched(request, engineNumber(1)));
    strategy.observe(dispatched(request, engineNumber(1)));
    for (let time = 0; time < 2; time++) {
      strategy.observe({ ...finished(request, engineNumber(1)), outcome: 'failed' } as AttemptEvent);
    }
    expect(termsOf(strategy, asking([7])).get(engine(1))?.pending).toBe(0);
    expect(request.openPrompts).toBeNull();
  });

  it('spreads first prompts over the emptiest caches', () => {
    const strategy = newStrategy();
    const counts = new Map<string, number>();
    for (let index = 0; index < 40; index++) {
      const request = asking(blocks(1 + 1_000 * index, 10));
      const url = first(strategy, request);
      counts.set(url, (counts.get(url) ?? 0) + 1);
      const chosen = candidates(4).find(({ engine: each }) => each.url === url) as Candidate;
      serve(strategy, request, chosen.engine);
    }
    expect([...counts.values()]).toEqual([10, 10, 10, 10]);
  });

  it.each([
    ['restarts', engineStats({ promptTokens: 1 })],
    ['sleeps', engineStats({ promptTokens: 100, awake: false })],
  ])('forgets the cache of an engine that %s', (_what, stats) => {
    const strategy = newStrategy();
    strategy.heedStats(engineNumber(3), engineStats({ promptTokens: 50 }), 0);
    serve(strategy, asking(blocks(1, 20)), engineNumber(3));
    strategy.heedStats(engineNumber(3), stats, 2_000);
    expect(termsOf(strategy, asking(blocks(1, 20))).get(engine(3))?.uncached).toBe(1_280);
  });

  it('forgets the cache of an engine that reports three times that nothing was cached', () => {
    const strategy = newStrategy();
    serve(strategy, asking(blocks(500, 20)), engineNumber(3));
    for (let time = 0; time < 4; time++) {
      const usage = { prompt: 1_280, completion: 10, cached: 0 };
      serve(strategy, asking(blocks(1, 20)), engineNumber(3), { usage, at: time * 2_000 });
    }
    const figure = strategy.figures().find(({ name }) => name === 'prefix_predicted_cached_tokens_total');
    expect(figure?.values[0]?.value).toBeGreaterThan(3_000);
    const uncached = (from: number): number | undefined =>
      termsOf(strategy, asking(blocks(from, 20))).get(engine(3))?.uncached;
    // The last one has brought its own prompt again.
    expect([uncached(500), uncached(1)]).toEqual([1_280, 1]);
  });

  it('takes a figure that is left out for 0 where answers of the same API have had one, until a restart', () => {
    const strategy = newStrategy();
    strategy.heedStats(engineNumber(3), engineStats({ promptTokens: 50 }), 0);
    const answered = (cached: number | null, over: Partial<RequestFacts> = {}): void =>
      serve(strategy, asking(blocks(1, 20), { shape: 'chat', ...over }), engineNumber(3), {
        usage: { prompt: 1_280, completion: 10, cached },
      });
    const uncached = (): number | undefined =>
      termsOf(strategy, asking(blocks(500, 20))).get(engine(3))?.uncached;
    const begin = (): void => serve(strategy, asking(blocks(500, 20)), engineNumber(3));
    begin();
    for (let time = 0; time < 5; time++) answered(null);
    answered(1_264);
    for (let time = 0; time < 5; time++) answered(null, { shape: 'other' });
    expect(uncached()).toBe(1);
    for (let time = 0; time < 3; time++) answered(null);
    expect(uncached()).toBe(1_280);
    strategy.heedStats(engineNumber(3), engineStats({ promptTokens: 1 }), 1_000);
    begin();
    for (let time = 0; time < 5; time++) answered(null);
    expect(uncached()).toBe(1);
  });

  it('keeps to the size of the cache that the engine tells', () => {
    const strategy = newStrategy();
    // 160 tokens of 16 each: 40 blocks of 64.
    strategy.heedStats(engineNumber(1), engineStats({ numGpuBlocks: 160, blockSize: 16 }), 0);
    for (let index = 0; index < 20; index++)
      serve(strategy, asking(blocks(1 + 100 * index, 10)), engineNumber(1));
    const held = strategy.figures().find(({ name }) => name === 'prefix_index_engine_blocks');
    expect(held?.values).toEqual([{ labels: { engine: engine(1) }, value: 40 }]);
  });

  describe('with an engine of 40 blocks', () => {
    const BUSY = engineNumber(1);
    const small = (): PrefixAwareStrategy => {
      const strategy = newStrategy();
      strategy.heedStats(BUSY, engineStats({ numGpuBlocks: 160, blockSize: 16, promptTokens: 50 }), 0);
      return strategy;
    };
    const serveOthers = (strategy: PrefixAwareStrategy): void => {
      for (let index = 0; index < 20; index++) serve(strategy, asking(blocks(5_000 + 100 * index, 10)), BUSY);
    };
    const uncached = (strategy: PrefixAwareStrategy): number | undefined =>
      termsOf(strategy, asking(blocks(1, 20))).get(engine(1))?.uncached;
    const held = (strategy: PrefixAwareStrategy): number | undefined =>
      strategy.figures().find(({ name }) => name === 'prefix_index_engine_blocks')?.values[0]?.value;

    it.each([
      ['is answered', 'done'],
      ['fails', 'failed'],
      ['is left by its client', 'client_left'],
    ])('knows the prompt of a request in flight until it %s', (_end, outcome) => {
      const strategy = small();
      const request = asking(blocks(1, 10));
      strategy.observe(dispatched(request, BUSY));
      serveOthers(strategy);
      expect([uncached(strategy), held(strategy)]).toEqual([640, 50]);
      strategy.observe({ ...finished(request, BUSY), outcome } as AttemptEvent);
      expect(uncached(strategy)).toBe(640);
      serveOthers(strategy);
      expect([uncached(strategy), held(strategy)]).toEqual([1_280, 40]);
    });

    it('knows a prompt that two requests have until both are over', () => {
      const strategy = small();
      const [one, other] = [asking(blocks(1, 10)), asking(blocks(1, 10))];
      for (const request of [one, other]) strategy.observe(dispatched(request, BUSY));
      strategy.observe(finished(one, BUSY));
      serveOthers(strategy);
      expect(uncached(strategy)).toBe(640);
      strategy.observe(finished(other, BUSY));
      serveOthers(strategy);
      expect(uncached(strategy)).toBe(1_280);
    });

    it('does not take the end of a request from before a restart for that of one after it', () => {
      const strategy = small();
      const [before, after] = [asking(blocks(1, 10)), asking(blocks(1, 10))];
      strategy.observe(dispatched(before, BUSY));
      strategy.heedStats(BUSY, engineStats({ numGpuBlocks: 160, blockSize: 16, promptTokens: 1 }), 1_000);
      expect(uncached(strategy)).toBe(1_280);
      strategy.observe(dispatched(after, BUSY));
      strategy.observe({ ...finished(before, BUSY), outcome: 'failed' } as AttemptEvent);
      serveOthers(strategy);
      expect(uncached(strategy)).toBe(640);
    });

    it('holds no more beside the prompts of requests in flight than its size', () => {
      const strategy = small();
      const requests = Array.from({ length: 6 }, (_, at) => asking(blocks(1 + 100 * at, 10)));
      for (const request of requests) strategy.observe(dispatched(request, BUSY));
      serveOthers(strategy);
      expect([uncached(strategy), held(strategy)]).toEqual([640, 100]);
      for (const request of requests) strategy.observe(finished(request, BUSY));
      serveOthers(strategy);
      expect(held(strategy)).toBe(40);
    });
  });

  it.each([
    ['learns that an engine is slow, and spares it', false],
    ['does not take the slowness of clients for that of an engine', true],
  ])('%s', (_what, heldUp) => {
    const strategy = newStrategy();
    let at = 0;
    for (let round = 0; round < 80; round++) {
      for (const number of [1, 2, 3, 4]) {
        const usage = { prompt: 64, completion: 101, cached: null };
        serve(strategy, asking([10_000 + at]), engineNumber(number), {
          usage,
          at: (at += 10_000),
          span: number === 2 ? 3_000 : 1_000,
          heldUp: number === 2 && heldUp,
        });
      }
    }
    const terms = termsOf(strategy, asking(blocks(1, 20)), candidates(4), at);
    expect(terms.get(engine(2))?.slowness).toBeCloseTo(heldUp ? 1 : 3, 1);
    expect(terms.get(engine(1))?.slowness).toBe(1);
  });

  it('lets an engine that joins a fleet begin slowly', () => {
    const strategy = newStrategy();
    strategy.retain([1, 2, 3].map((number) => engineNumber(number)));
    expect(termsOf(strategy, asking([1])).get(engine(1))?.slowness).toBe(1);
    strategy.observe({ ...dispatched(asking([5]), engineNumber(1)), at: 20_000 });
    strategy.retain([1, 2, 3, 4].map((number) => engineNumber(number)));
    const slowness = (now: number): number | undefined =>
      termsOf(strategy, asking([1]), candidates(4), now).get(engine(4))?.slowness;
    expect([slowness(20_000), slowness(49_999), slowness(50_000)]).toEqual([2, 2, 1]);
  });

  it('takes the engines of a fleet that name their models one after the other for equals', () => {
    const strategy = newStrategy();
    strategy.retain([engineNumber(1)]);
    strategy.observe({ ...dispatched(asking([5]), engineNumber(1)), at: 9_000 });
    strategy.retain([engineNumber(1), engineNumber(2)]);
    expect(termsOf(strategy, asking([1]), candidates(2), 9_000).get(engine(2))?.slowness).toBe(1);
  });

  it('prefers an engine that has the adapter', () => {
    const strategy = newStrategy();
    const served = [
      { id: 'base', parent: null },
      { id: 'lora', parent: 'base' },
    ];
    const given = candidates(3).map(({ engine: each }) => candidate({ ...each, models: served }));
    const request = asking(blocks(1, 5), { model: 'lora' });
    serve(strategy, asking(blocks(900, 5), { model: 'lora' }), (given[1] as Candidate).engine);
    const ranking = strategy.rank(request, given, fixedContext());
    expect(ranking[0]?.candidate.engine.url).toBe(engine(2));
    expect(ranking[0]?.reason).not.toContain('adapter');
    expect(ranking[1]?.reason).toContain('adapter to load');
  });

  it('decides as one with another process', () => {
    const [here, there] = [newStrategy(), newStrategy()];
    const request = asking(blocks(1, 30));
    there.observe(dispatched(request, engineNumber(3)));
    here.share.heed(7, structuredClone(there.share.take()));
    expect(termsOf(here, asking(blocks(1, 30))).get(engine(3))).toMatchObject({
      uncached: 1,
      pending: 1_920,
    });
    there.observe(firstToken(request, engineNumber(3)));
    here.share.heed(7, structuredClone(there.share.take()));
    expect(termsOf(here, asking(blocks(1, 30))).get(engine(3))?.pending).toBe(0);
    there.observe(dispatched(asking(blocks(500, 10)), engineNumber(3)));
    here.share.heed(7, structuredClone(there.share.take()));
    here.share.forget(7);
    expect(termsOf(here, asking(blocks(500, 10))).get(engine(3))).toMatchObject({ uncached: 1, pending: 0 });
    expect(there.share.take()).toBeNull();
  });

  it('tells another process again what has gone from what is pending in the meantime', () => {
    const [here, there] = [newStrategy(), newStrategy()];
    const told = (): number | undefined => {
      here.share.heed(7, structuredClone(there.share.take()));
      return termsOf(here, asking([7])).get(engine(3))?.pending;
    };
    there.observe({ ...dispatched(asking(blocks(1, 100), { stream: false }), engineNumber(3)), at: 0 });
    expect(told()).toBe(6_400);
    // Something else has happened there, 1 s later: at 10,000 tokens a second all of it is computed.
    there.observe({ ...dispatched(asking([8]), engineNumber(2)), at: 1_000 });
    expect(told()).toBe(0);
    expect(there.share.take()).toBeNull();
  });

  it('counts requests of others that every scrape shows', () => {
    const strategy = newStrategy();
    for (const at of [0, 1_000, 2_000]) {
      strategy.heedStats(engineNumber(1), engineStats({ running: 12, waiting: 0 }), at);
    }
    expect(termsOf(strategy, asking([1]), candidates(2), 2_000).get(engine(1))?.inFlight).toBe(12);
  });

  it.each([1e308, Infinity, 1e12])('does not believe an answer that tells of %d tokens', (many) => {
    const strategy = newStrategy();
    const usage = { prompt: many, completion: many, cached: many };
    for (let time = 0; time < 2; time++)
      serve(strategy, requestFacts({ stream: true }), engineNumber(1), { usage });
    const under = requestFacts({ stream: true });
    serve(strategy, under, engineNumber(1));
    const terms = termsOf(strategy, requestFacts()).get(engine(1));
    expect(terms).toMatchObject({ uncached: 512, pending: 0 });
    expect(terms?.cost).toBeLessThan(100_000);
  });

  it.each(['/v1/messages/count_tokens', '/tokenize'])(
    'does not take %s for the computing of a prompt',
    (path) => {
      const strategy = newStrategy();
      const request = asking(blocks(1, 20), { path, stream: false });
      strategy.observe(dispatched(request, engineNumber(3)));
      expect(termsOf(strategy, asking(blocks(1, 20))).get(engine(3))).toMatchObject({
        uncached: 1_280,
        pending: 0,
      });
      strategy.observe({ ...finished(request, engineNumber(3)), answer: 'text' } as AttemptEvent);
      expect(termsOf(strategy, asking(blocks(1, 20))).get(engine(3))?.uncached).toBe(1_280);
    },
  );

  it('does not wait for the first token of a connection that never tells of one', () => {
    const strategy = newStrategy();
    const connection = requestFacts({ path: '/v1/realtime', shape: 'other', stream: true });
    strategy.observe(dispatched(connection, engineNumber(1)));
    expect(termsOf(strategy, asking([7])).get(engine(1))?.pending).toBe(0);
  });

  it('reckons with a usual prompt where it cannot be read', () => {
    const strategy = newStrategy();
    const opaque = requestFacts({ prompt: { blocks: () => null, withAnswer: () => null } });
    expect(termsOf(strategy, opaque).get(engine(1))?.uncached).toBe(512);
    expect(termsOf(strategy, requestFacts()).get(engine(1))?.uncached).toBe(512);
  });
});

describe('prefixaware, of engines that come and go under one id,', () => {
  const engines = [engineNumber(1), engineNumber(2)];

  it('does not tell what is under way on the engine before as if it were on this one', () => {
    const [here, there] = [newStrategy(), newStrategy()];
    for (const one of [here, there]) one.retain(engines);
    const old = asking(blocks(1, 30));
    there.observe(dispatched(old, engineNumber(1)));
    there.share.take();
    there.retain([engineNumber(2)]);
    there.retain(engines);
    there.observe(dispatched(asking(blocks(500, 10)), engineNumber(1)));
    there.observe(finished(old, engineNumber(1)));
    here.share.heed(7, structuredClone(there.share.take()));
    expect(termsOf(here, asking([7]), candidates(2)).get(engine(1))?.pending).toBe(640);
  });

  it('does not believe of this one what late answers tell of the cache of the one before', () => {
    const strategy = newStrategy();
    strategy.retain(engines);
    strategy.heedStats(engineNumber(1), engineStats({ blockSize: 16, numGpuBlocks: 40 }), 0);
    const old = asking(blocks(1, 3));
    strategy.observe(dispatched(old, engineNumber(1)));
    strategy.retain([engineNumber(2)]);
    strategy.retain([engineNumber(2), engineNumber(3)]);
    serve(strategy, asking(blocks(500, 30)), engineNumber(3));
    const usage = { prompt: 192, completion: 5, cached: 0 };
    strategy.observe({ ...finished(old, engineNumber(1)), usage } as AttemptEvent);
    // The place of engine 1 in the prefix index is that of engine 3 now.
    expect(termsOf(strategy, asking(blocks(500, 30))).get(engine(3))?.uncached).toBe(1);
  });

  it('hears nothing more of an engine that has left the fleet', () => {
    const [here, there] = [newStrategy(), newStrategy()];
    for (const one of [here, there]) one.retain(engines);
    there.observe(dispatched(asking(blocks(1, 30)), engineNumber(1)));
    here.retain([engineNumber(2)]);
    here.share.heed(7, structuredClone(there.share.take()));
    const series = here.figures().flatMap(({ values }) => values.map(({ labels }) => labels['engine']));
    expect(new Set(series)).toEqual(new Set([undefined, engine(2)]));
  });
});

describe('prefixaware, with an engine that answers every request with an error at once,', () => {
  /** Of 300 requests 20 ms apart that take 2 s on the other engines: the share that is tried on engine 1 first. */
  const triedFirst = (status: number, outcome: 'failed' | 'engine_error'): number => {
    const strategy = newStrategy();
    const given = new Map<string, number>();
    const running: { until: number; request: RequestFacts; engine: Engine; attempt: number }[] = [];
    const signals = (): Candidate[] =>
      candidates(4).map(({ engine: each }) => candidate(each, { inFlight: given.get(each.url) ?? 0 }));
    let tried = 0;
    for (let index = 0; index < 300; index++) {
      const at = index * 20;
      while (running[0] !== undefined && running[0].until <= at) {
        const { request, engine: served, attempt } = running.shift()!;
        given.set(served.url, (given.get(served.url) ?? 0) - 1);
        strategy.observe({ ...finished(request, served, attempt), at });
      }
      const request = asking([...blocks(1, 10), 1_000 + index]);
      const order = strategy.rank(request, signals(), { ...fixedContext(), now: at });
      const fails = order[0]?.candidate.engine.url === engine(1);
      if (fails) {
        tried++;
        strategy.observe({ ...dispatched(request, engineNumber(1)), at });
        strategy.observe({
          ...finished(request, engineNumber(1)),
          ...{ at: at + 5, outcome, status, cause: outcome === 'failed' ? 'http_5xx' : null },
        });
      }
      const served = (order[fails ? 1 : 0] as { candidate: Candidate }).candidate.engine;
      const attempt = fails ? 2 : 1;
      strategy.observe({ ...dispatched(request, served, attempt), at });
      given.set(served.url, (given.get(served.url) ?? 0) + 1);
      running.push({ until: at + 2_000, request, engine: served, attempt });
    }
    return tried / 300;
  };

  it.each([
    [503, 'failed'],
    [500, 'engine_error'],
  ] as const)('does not send all requests there (%d)', (status, outcome) => {
    expect(triedFirst(status, outcome)).toBeLessThan(0.05);
  });

  it('tries it again after some seconds, and says why it was spared', () => {
    const strategy = newStrategy();
    const request = asking(blocks(1, 10));
    for (const attempt of [1, 2, 3]) {
      strategy.observe(dispatched(request, engineNumber(1), attempt));
      const end = { outcome: 'failed', status: 500, cause: 'http_5xx', at: 0 } as const;
      strategy.observe({ ...finished(request, engineNumber(1), attempt), ...end });
    }
    const rank = (now: number) => strategy.rank(request, candidates(4), { ...fixedContext(), now });
    expect(rank(100).at(-1)?.candidate.engine.url).toBe(engine(1));
    expect(rank(100).at(-1)?.reason).toMatch(/failed lately$/);
    expect(rank(30_000)[0]?.candidate.engine.url).toBe(engine(1));
  });

  it('blames no engine for requests that it refuses, and for clients that leave', () => {
    const strategy = newStrategy();
    for (const end of [
      { outcome: 'engine_error', status: 400 },
      { outcome: 'client_left', status: 200 },
    ]) {
      for (let time = 0; time < 9; time++) {
        const request = asking([5]);
        strategy.observe(dispatched(request, engineNumber(1)));
        strategy.observe({ ...finished(request, engineNumber(1)), ...end } as AttemptEvent);
      }
    }
    const reasons = strategy.rank(asking([7]), candidates(4), fixedContext()).map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason.includes('failed'))).toEqual([]);
  });
});
