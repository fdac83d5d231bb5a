import type { EngineStats } from '../../../src/core/prometheus-text.js';
import type { Candidate } from '../../../src/core/ranking.js';
import type { RequestFacts } from '../../../src/core/request-facts.js';
import type { RoutingStrategy } from '../../../src/routing/routing-strategy.js';
import { KnownPrefixes } from '../../../src/what-if/reference-policies/known-prefixes.js';
import { policyNamed } from '../../../src/what-if/policies.js';
import { REFERENCE_POLICIES } from '../../../src/what-if/reference-policies/index.js';
import { defaultSettings } from '../../../src/what-if/runner/default-settings.js';
import { TokenPrompt } from '../../../src/what-if/runner/token-prompt.js';
import {
  candidate,
  dispatched,
  engineNumber,
  fixedContext,
  requestFacts,
} from '../../support/strategy.contract.js';

const policy = (name: string): RoutingStrategy => new (policyNamed(name))(defaultSettings(name));

/** A request whose prompt begins with `shared` tokens that all have and goes on with 200 of its own. */
let own = 0;
function request(shared = 1000): RequestFacts {
  const promptTokens = new Int32Array(shared + 200).fill(++own, shared);
  const prompt = new TokenPrompt({ promptTokens, cacheKey: 'model', adapter: null, maxTokens: 1 });
  return requestFacts({ id: `request-${own}`, prompt });
}

/** Engines with that many requests in flight. */
const loaded = (...inFlight: number[]): Candidate[] =>
  inFlight.map((count, index) => candidate(engineNumber(index + 1), { inFlight: count }));

const firstOf = (strategy: RoutingStrategy, asked: RequestFacts, candidates: readonly Candidate[]): number =>
  candidates.indexOf(strategy.rank(asked, candidates, fixedContext())[0]!.candidate);

/** The strategy after a request that begins as all do went to the third engine. */
function afterOne(name: string): RoutingStrategy {
  const strategy = policy(name);
  strategy.observe?.(dispatched(request(), engineNumber(3)));
  return strategy;
}

describe.each(REFERENCE_POLICIES.map(({ strategyName }) => strategyName))('the rule of %s', (name) => {
  it('ranks every engine once', () => {
    const candidates = loaded(0, 1, 2, 3);
    const ranking = afterOne(name).rank(request(), candidates, fixedContext());
    expect(new Set(ranking.map((ranked) => ranked.candidate))).toEqual(new Set(candidates));
  });

  it('ranks requests without a prompt', () => {
    expect(afterOne(name).rank(requestFacts(), loaded(0, 0), fixedContext())).toHaveLength(2);
  });
});

describe('what other routers do', () => {
  it('production-stack follows the prefix whatever the load', () => {
    expect(firstOf(afterOne('production-stack'), request(), loaded(0, 0, 500, 0))).toBe(2);
  });

  it('sglang goes by load alone when the fleet is uneven', () => {
    expect(firstOf(afterOne('sglang'), request(), loaded(1, 9, 60, 9))).toBe(2);
    expect(firstOf(afterOne('sglang'), request(), loaded(0, 9, 66, 9))).toBe(0);
    expect(firstOf(afterOne('sglang'), request(), loaded(0, 80, 20, 9))).toBe(0);
  });

  it('smg leaves an engine that is far above the mean', () => {
    expect(firstOf(afterOne('smg'), request(), loaded(1, 80, 20, 9))).toBe(2);
    expect(firstOf(afterOne('smg'), request(), loaded(0, 9, 120, 9))).toBe(0);
    expect(firstOf(afterOne('smg-library'), request(), loaded(0, 9, 60, 9))).toBe(0);
  });

  it('cache_aware does not count a match below its threshold', () => {
    expect(firstOf(afterOne('smg'), request(32), loaded(1, 0, 5, 9))).toBe(1);
  });

  it('llm-d weighs the queue that it saw last against the prefix', () => {
    const strategy = afterOne('llm-d');
    expect(firstOf(strategy, request(), loaded(0, 0, 50, 0))).toBe(2);
    for (const number of [1, 2, 3, 4]) {
      const stats = { waiting: number === 3 ? 9 : 0, kvCacheUsage: number === 3 ? 0.9 : 0.1 } as EngineStats;
      strategy.heedStats?.(engineNumber(number), stats, 0);
    }
    expect(firstOf(strategy, request(), loaded(0, 0, 0, 0))).not.toBe(2);
  });

  it('lmetric multiplies tokens with the batch, lpwl does not, dynamo adds what is in flight', () => {
    // 176 tokens on the third engine, 1,200 elsewhere; the first prompt is pending there.
    const settled = (name: string): RoutingStrategy => {
      const strategy = policy(name);
      const first = request();
      const [engine, sinceDispatch] = [engineNumber(3), 5];
      strategy.observe?.(dispatched(first, engine));
      strategy.observe?.({ type: 'firstToken', request: first, engine, at: 5, attempt: 1, sinceDispatch });
      return strategy;
    };
    expect(firstOf(settled('lmetric'), request(), loaded(1, 1, 1, 1))).toBe(2);
    expect(firstOf(settled('lmetric'), request(), loaded(0, 1, 9, 1))).toBe(0);
    expect(firstOf(settled('lpwl'), request(), loaded(0, 1, 9, 1))).toBe(2);
    expect(firstOf(settled('dynamo'), request(), loaded(0, 0, 0, 0))).not.toBe(2);
  });
});

describe('prefixes that are known', () => {
  it('are forgotten from their end, those used least lately first', () => {
    const known = new KnownPrefixes(3);
    known.insert('e', Float64Array.of(1, 2));
    known.insert('e', Float64Array.of(1, 3, 4));
    expect(known.match('e', Float64Array.of(1, 2))).toBe(1);
    expect(known.match('e', Float64Array.of(1, 3, 4))).toBe(3);
    known.insert('e', Float64Array.of(5));
    expect(known.match('e', Float64Array.of(1, 3, 4))).toBe(2);
    expect(known.size('e')).toBe(3);
  });
});
