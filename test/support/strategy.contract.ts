import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import type { Settings } from '../../src/config/settings.schema.js';
import type { AttemptEvent } from '../../src/core/attempt-event.js';
import type { Engine } from '../../src/core/engine.js';
import type { EngineStats } from '../../src/core/prometheus-text.js';
import type { PromptBlocks, PromptSource } from '../../src/core/prompt-blocks.js';
import type { Candidate, Ranking } from '../../src/core/ranking.js';
import type { RequestFacts } from '../../src/core/request-facts.js';
import type { RankContext, RoutingStrategy, StrategyClass } from '../../src/routing/routing-strategy.js';
import { anyText } from './any-text.js';

/** Facts of a chat request, `over` changed. */
export function requestFacts(over: Partial<RequestFacts> = {}): RequestFacts {
  return {
    id: 'request-1',
    path: '/v1/chat/completions',
    shape: 'chat',
    model: 'model-a',
    stream: false,
    session: null,
    body: { model: 'model-a', messages: [{ role: 'user', content: 'Hello' }] },
    ...over,
  };
}

/** The engine `http://10.0.0.<number>:8000`, which serves `models`. */
export function engineNumber(number: number, models: readonly string[] = ['model-a']): Engine {
  const url = `http://10.0.0.${number}:8000`;
  return { id: url, url, models: models.map((id) => ({ id, parent: null })), labels: {} };
}

/** A candidate with nothing in flight, `signals` changed. */
export function candidate(engine: Engine, signals: Partial<Candidate['signals']> = {}): Candidate {
  return { engine, signals: { inFlight: 0, qps: 0, engineWaiting: null, engineRunning: null, ...signals } };
}

/** Candidates on the engines numbered 1 to `count`. */
export function candidates(count: number): Candidate[] {
  return Array.from({ length: count }, (_, index) => candidate(engineNumber(index + 1)));
}

/** The first attempt of a request was sent to `engine`. */
export function dispatched(request: RequestFacts, engine: Engine, attempt = 1): AttemptEvent {
  return { type: 'dispatched', request, engine, at: 0, attempt };
}

/** The attempt that `dispatched` began has ended well. */
export function finished(request: RequestFacts, engine: Engine, attempt = 1): AttemptEvent {
  const end = { outcome: 'done', status: 200, sinceDispatch: 10, usage: null, cause: null } as const;
  return { type: 'finished', request, engine, at: 10, attempt, ...end };
}

/** The attempt that `dispatched` began has brought its first token. */
export function firstToken(request: RequestFacts, engine: Engine, at = 5): AttemptEvent {
  return { type: 'firstToken', request, engine, at, attempt: 1, sinceDispatch: at };
}

/** A prompt of these blocks, 256 bytes each, whose answers add `answer`. */
export function promptOf(names: readonly number[], answer: readonly number[] = []): PromptSource {
  const blocks = (all: readonly number[]): PromptBlocks => ({
    names: Float64Array.from(all),
    size: all.length * 256,
    blockSize: 256,
    unit: 'bytes',
  });
  const [prompt, whole] = [blocks(names), blocks([...names, ...answer])];
  return { blocks: () => prompt, withAnswer: () => (answer.length > 0 ? whole : null) };
}

/** What an engine that tells nothing tells, `over` changed. */
export function engineStats(over: Partial<EngineStats> = {}): EngineStats {
  return {
    ...{ running: null, waiting: null, swapped: null, kvCacheUsage: null, awake: null },
    ...{ prefixCacheQueries: null, prefixCacheHits: null, prefixCacheHitRate: null },
    ...{ promptTokens: null, generationTokens: null, blockSize: null, numGpuBlocks: null },
    ...over,
  };
}

/** Time stands still and chance repeats itself. */
export function fixedContext(): RankContext {
  let seed = 7;
  return { now: 1_000, random: () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647 };
}

/** The URLs of a ranking, in order. */
export function urlsOf(ranking: Ranking): string[] {
  return ranking.map((ranked) => ranked.candidate.engine.url);
}

function heapInUse(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Once: in the process of a whole suite each collection takes some tenths of a second.
  collect();
  return process.memoryUsage().heapUsed;
}

const oddText = fc.oneof(
  anyText({ maxLength: 40 }),
  fc.constantFrom('', '__proto__', 'constructor', '\ud800', 'x'.repeat(10_000)),
);

const anyRequest: fc.Arbitrary<RequestFacts> = fc
  .record({
    id: oddText,
    path: oddText,
    shape: fc.constantFrom('chat', 'completions', 'responses', 'messages', 'other'),
    model: oddText,
    stream: fc.boolean(),
    session: fc.option(oddText),
    body: fc.option(fc.dictionary(oddText, fc.jsonValue()), { nil: undefined }),
  })
  .map(({ body, ...facts }) => (body ? { ...facts, body } : facts) as RequestFacts);

const anySignal = fc.oneof(
  fc.nat({ max: 1_000 }),
  fc.constantFrom(NaN, Infinity, -1, Number.MAX_SAFE_INTEGER),
);

const anyPrompt: fc.Arbitrary<PromptSource | undefined> = fc.option(
  fc.oneof(
    fc
      .tuple(fc.array(fc.nat({ max: 9 }), { maxLength: 40 }), fc.array(fc.nat({ max: 9 }), { maxLength: 3 }))
      .map(([names, answer]) => promptOf(names, answer)),
    fc.constant({ blocks: () => null, withAnswer: () => null }),
  ),
  { nil: undefined },
);

const anyNumber = fc.oneof(anySignal, fc.double());

const anyStats: fc.Arbitrary<EngineStats | null> = fc.option(
  fc
    .record({
      ...Object.fromEntries(Object.keys(engineStats()).map((key) => [key, fc.option(anyNumber)])),
      awake: fc.option(fc.boolean()),
    })
    .map((stats) => stats as unknown as EngineStats),
);

/** Events in any order, of attempts that began or not, with figures that make sense or not. */
const anyEvent: fc.Arbitrary<(request: RequestFacts, engine: Engine) => AttemptEvent> = fc
  .record({
    type: fc.constantFrom('dispatched', 'firstToken', 'finished'),
    at: anyNumber,
    attempt: fc.integer({ min: 1, max: 2 }),
    outcome: fc.constantFrom('done', 'engine_error', 'failed', 'timeout', 'client_left'),
    status: fc.option(fc.constantFrom(200, 500)),
    sinceDispatch: anyNumber,
    usage: fc.option(fc.record({ prompt: anyNumber, completion: anyNumber, cached: fc.option(anyNumber) })),
    pieces: fc.option(anyNumber, { nil: undefined }),
    answer: fc.option(oddText),
    cause: fc.constant(null),
  })
  .map((event) => (request, engine) => ({ ...event, request, engine }) as AttemptEvent);

const anyCandidates: fc.Arbitrary<Candidate[]> = fc
  .uniqueArray(fc.record({ number: fc.integer({ min: 1, max: 200 }), inFlight: anySignal, qps: anySignal }), {
    maxLength: 12,
    selector: ({ number }) => number,
  })
  .map((list) => list.map(({ number, ...signals }) => candidate(engineNumber(number), signals)));

/**
 * What every routing strategy promises. Call it inside a `describe`; a plugin's tests may call it too.
 * @param settings given to the constructor
 */
export function itKeepsTheStrategyContract(strategy: StrategyClass, settings: Settings): void {
  const make = (): RoutingStrategy => new strategy(settings);

  it('ranks every candidate exactly once and invents none, whatever the request says', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyRequest, anyCandidates), { maxLength: 8 }), (steps) => {
        const subject = make();
        for (const [request, given] of steps) {
          const before = [...given];
          const ranking = subject.rank(request, given, fixedContext());
          expect(ranking).toHaveLength(given.length);
          expect(new Set(ranking.map((ranked) => ranked.candidate))).toEqual(new Set(given));
          expect(ranking.filter(({ reason }) => typeof reason !== 'string')).toEqual([]);
          expect(given).toEqual(before);
          const first = ranking[0];
          if (first) subject.observe?.(dispatched(request, first.candidate.engine));
          if (first) subject.observe?.(finished(request, first.candidate.engine));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('takes frozen input and frozen facts', () => {
    const given = Object.freeze(candidates(3).map((one) => Object.freeze(one)));
    expect(make().rank(Object.freeze(requestFacts()), given, fixedContext())).toHaveLength(3);
  });

  it('has no side effects in rank: only what it observes moves it', () => {
    fc.assert(
      fc.property(
        fc.array(anyRequest, { minLength: 1, maxLength: 6 }),
        fc.nat({ max: 5 }),
        (asked, extra) => {
          const [quiet, asking] = [make(), make()];
          const given = candidates(5);
          for (const request of asked) {
            for (let time = 0; time < extra; time++) {
              asking.rank(request, given, fixedContext());
              asking.rank(
                requestFacts({ model: `other-${time}`, session: `s${time}` }),
                given,
                fixedContext(),
              );
            }
            const expected = urlsOf(quiet.rank(request, given, fixedContext()));
            expect(urlsOf(asking.rank(request, given, fixedContext()))).toEqual(expected);
            const engine = given.find((one) => one.engine.url === expected[0])?.engine as Engine;
            for (const each of [quiet, asking]) each.observe?.(dispatched(request, engine));
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('is deterministic: two instances with one history, clock and chance agree', () => {
    const [left, right] = [make(), make()];
    for (let index = 0; index < 200; index++) {
      const request = requestFacts({
        model: `model-${index % 7}`,
        session: index % 3 ? `user-${index}` : null,
      });
      const given = candidates(1 + (index % 6));
      const one = left.rank(request, given, fixedContext());
      const other = right.rank(request, [...given], fixedContext());
      expect(urlsOf(one)).toEqual(urlsOf(other));
      const engine = one[0]?.candidate.engine as Engine;
      left.observe?.(dispatched(request, engine));
      right.observe?.(dispatched(request, engine));
    }
  });

  it('hears the end of attempts that another strategy began, and engines it never ranked', () => {
    const subject = make();
    const request = requestFacts();
    expect(() => subject.observe?.(finished(request, engineNumber(99)))).not.toThrow();
    expect(() => subject.observe?.(dispatched(request, engineNumber(98), 3))).not.toThrow();
    expect(subject.rank(request, candidates(3), fixedContext())).toHaveLength(3);
  });

  it('does not grow with the number of models, sessions and engines it has seen', () => {
    const subject = make();
    const serve = (from: number, to: number): void => {
      for (let index = from; index < to; index++) {
        const request = requestFacts({ id: `r${index}`, model: `model-${index}`, session: `user-${index}` });
        const engine = engineNumber(index);
        subject.observe?.(dispatched(request, engine));
        subject.observe?.(finished(request, engine));
      }
    };
    serve(0, 20_000);
    const full = heapInUse();
    serve(20_000, 60_000);
    // 40,000 keys of a Map are 2 MB; what keeps its bound grows by some tens of KB.
    const grown = heapInUse() - full;
    expect(grown).toBeLessThan(1024 * 1024);
    expect(subject.rank(requestFacts(), candidates(3), fixedContext())).toHaveLength(3);
  });

  it('moves at most about 1/n of the sessions when an engine comes or goes, if it keeps sessions', () => {
    const sessions = Array.from({ length: 1_000 }, (_, index) => `user-${index}`);
    const subject = make();
    const homes = (given: readonly Candidate[]): string[] =>
      sessions.map(
        (session) => urlsOf(subject.rank(requestFacts({ session }), given, fixedContext()))[0] ?? '',
      );
    const all = candidates(8);
    const before = homes(all);
    // A strategy that sends all sessions one way does not go by the session.
    if (new Set(before).size === 1) return;
    const gone = all[3]?.engine.url;
    const after = homes(all.filter((one) => one.engine.url !== gone));
    const moved = before.filter((home, index) => home !== after[index]).length;
    expect(moved).toBe(before.filter((home) => home === gone).length);
    expect(moved).toBeLessThan((1.5 * sessions.length) / all.length);
    const more = homes([...all, candidate(engineNumber(9))]);
    expect(before.filter((home, index) => home !== more[index]).length).toBeLessThan(
      (1.5 * sessions.length) / (all.length + 1),
    );
  });

  it('survives events in any order and with any figures, figures of engines, news, and engines that go', () => {
    const step = fc.oneof(
      fc.record({ event: anyEvent, request: fc.nat({ max: 3 }), engine: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ stats: anyStats, engine: fc.integer({ min: 1, max: 6 }), at: anyNumber }),
      fc.record({ news: fc.anything({ withNullPrototype: true }), from: fc.nat({ max: 3 }) }),
      fc.record({ retain: fc.uniqueArray(fc.integer({ min: 1, max: 6 })) }),
      fc.record({ forget: fc.nat({ max: 3 }) }),
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.array(anyPrompt, { minLength: 4 }),
        (steps, prompts) => {
          const subject = make();
          const requests = prompts.map((prompt, index) =>
            requestFacts({ id: `r${index}`, stream: index % 2 === 0, session: `s${index}`, prompt }),
          );
          for (const one of steps) {
            if ('event' in one) {
              const request = requests[one.request] ?? requestFacts();
              subject.observe?.(one.event(request, engineNumber(one.engine)));
            } else if ('stats' in one) subject.heedStats?.(engineNumber(one.engine), one.stats, one.at);
            else if ('news' in one) subject.share?.heed(one.from, one.news);
            else if ('retain' in one) subject.retain?.(one.retain.map((number) => engineNumber(number)));
            else subject.share?.forget(one.forget);
          }
          for (const request of requests) {
            const ranking = subject.rank(request, candidates(6), fixedContext());
            expect(new Set(urlsOf(ranking)).size).toBe(6);
            expect(ranking.filter(({ terms }) => Number.isNaN(terms?.cost ?? 0))).toEqual([]);
          }
          structuredClone(subject.share?.take());
          for (const { name, help, values } of subject.figures?.() ?? []) {
            expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
            expect(help).toMatch(/\.$/);
            expect(values.filter(({ value }) => typeof value !== 'number')).toEqual([]);
          }
        },
      ),
      { numRuns: 80 },
    );
  });

  it('takes frozen prompts, and facts that are frozen when they are observed', () => {
    const subject = make();
    const prompt = Object.freeze(promptOf([1, 2, 3], [4]));
    const request = Object.freeze(requestFacts({ prompt, stream: true }));
    subject.observe?.(dispatched(request, engineNumber(1)));
    subject.observe?.(finished(request, engineNumber(1)));
    expect(subject.rank(request, Object.freeze(candidates(3)), fixedContext())).toHaveLength(3);
  });

  it('says why in a few words, on one line', () => {
    const subject = make();
    const request = requestFacts({ prompt: promptOf([1, 2, 3]), session: 'user-1' });
    const given = candidates(5).map(({ engine }, index) => candidate(engine, { inFlight: index * 7 }));
    for (const { reason } of subject.rank(request, given, fixedContext())) {
      expect(reason).toMatch(/^[\x20-\x7e]{3,200}$/);
    }
  });

  it('is not moved by what other processes tell of engines that are not there', () => {
    const [teller, hearer] = [make(), make()];
    if (!teller.share || !hearer.share) return;
    const [before, request] = [hearer.rank(requestFacts(), candidates(3), fixedContext()), requestFacts()];
    teller.observe?.(dispatched(request, engineNumber(77)));
    hearer.share.heed(1, structuredClone(teller.share.take()));
    expect(urlsOf(hearer.rank(requestFacts(), candidates(3), fixedContext()))).toEqual(urlsOf(before));
    expect(teller.share.take()).toBeNull();
  });
}
