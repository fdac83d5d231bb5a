import fc from 'fast-check';
import { PROFILES } from '../../../../src/simulator/model/engine-profile.js';
import { poissonArrivals } from '../../../../src/simulator/virtual/arrivals.js';
import { simulate, type VirtualSetup } from '../../../../src/simulator/virtual/simulate.js';
import { summaryOf } from '../../../../src/simulator/virtual/summary.js';
import type { VirtualRequest, VirtualResult } from '../../../../src/simulator/virtual/virtual-request.js';
import { prompt, spec } from '../model/driver.js';

const L4 = PROFILES['l4-8b'];

const request = (id: number, arrival: number, overrides = {}): VirtualRequest => ({
  id,
  arrival,
  session: `s${id}`,
  spec: spec({ promptTokens: prompt(100, 1000 * id), maxTokens: 3, ...overrides }),
});

const run = (setup: Partial<VirtualSetup>) =>
  simulate({ engines: [L4], arrivals: [], choose: () => 0, ...setup });

const chats = (seed: number, rate: number, count: number) =>
  poissonArrivals({
    seed,
    rate,
    count,
    prompt: { kind: 'lognormal', median: 200, spread: 0.8, least: 8, most: 2000 },
    output: { kind: 'uniform', least: 1, most: 60 },
    prefixes: { count: 8, tokens: 160, share: 0.5 },
  });

describe('a simulation', () => {
  it('of one request has the times of the formula', () => {
    const { results, seconds } = run({ arrivals: [request(1, 2)] });
    const prefill = 62e-3 + 100 * 265e-6 + ((100 * 101) / 2) * 9e-9;
    const decode = (context: number): number => 62e-3 + 25e-6 + context * 0.55e-6;
    expect(results).toHaveLength(1);
    const [result] = results as [VirtualResult];
    expect(result).toMatchObject({ outcome: 'finished', engine: 0, tokens: 3, cachedTokens: 0 });
    expect(result.firstToken).toBeCloseTo(2 + prefill, 9);
    expect(result.end).toBeCloseTo(2 + prefill + decode(101) + decode(102), 9);
    expect(seconds).toBe(result.end);
  });

  it('lets a request that arrives during a step join the next one', () => {
    const { results } = run({ arrivals: [request(1, 0), request(2, 0.01)] });
    const [first, second] = results as [VirtualResult, VirtualResult];
    const step = 62e-3 + 100 * 265e-6 + 5050 * 9e-9;
    expect(first.firstToken).toBeCloseTo(step, 9);
    expect(second.firstToken).toBeCloseTo(2 * step + 25e-6 + 101 * 0.55e-6, 9);
  });

  it('ticks at its times, before what else happens then, and ends with its last event', () => {
    const told: string[] = [];
    const tick = (name: string, seconds: number) => ({
      seconds,
      run: (now: number) => void told.push(`${name} ${now}`),
    });
    run({
      arrivals: [request(1, 2), request(2, 3)],
      ticks: [tick('a', 1), tick('b', 2), tick('never', Infinity)],
      choose: ({ id }) => {
        told.push(`request ${id}`);
        return 0;
      },
    });
    expect(told).toEqual(['a 1', 'a 2', 'b 2', 'request 1', 'a 3', 'request 2']);
    expect(() => run({ ticks: [tick('a', 0)] })).toThrow(RangeError);
  });

  it('sends requests where the chooser says, which sees the engines as they are', () => {
    const seen: number[][] = [];
    const { results } = run({
      engines: [L4, L4],
      arrivals: [request(1, 0), request(2, 0.01), request(3, 0.02), request(4, 9)],
      choose: ({ id }, engines) => {
        seen.push(engines.map(({ inFlight }) => inFlight));
        return id === 3 ? null : (id + 1) % 2;
      },
    });
    expect(seen).toEqual([
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 0],
    ]);
    expect(results.map(({ request: { id }, engine, outcome }) => [id, engine, outcome])).toEqual([
      [3, null, 'turned_away'],
      [1, 0, 'finished'],
      [2, 1, 'finished'],
      [4, 1, 'finished'],
    ]);
  });

  it('tells each first token once, when it comes and before the end', () => {
    const told: [string, number, number][] = [];
    const { results } = run({
      engines: [L4, L4],
      arrivals: [request(1, 0), request(2, 0.01, { maxTokens: 1 })],
      choose: ({ id }) => id - 1,
      firstToken: ({ id }, engine, now) => told.push([`first ${id}`, engine, now]),
      follow: ({ request: { id } }, now) => {
        told.push([`end ${id}`, id - 1, now]);
        return null;
      },
    });
    const [two, one] = results as [VirtualResult, VirtualResult];
    expect(told).toEqual([
      ['first 1', 0, one.firstToken],
      ['first 2', 1, two.firstToken],
      ['end 2', 1, two.end],
      ['end 1', 0, one.end],
    ]);
  });

  it('tells refusals of engines', () => {
    const { results } = run({
      model: { maxQueuedRequests: 1 },
      arrivals: [request(1, 0), request(2, 0.01), request(3, 9, { promptTokens: prompt(30_000) })],
    });
    expect(results.map(({ outcome }) => outcome)).toEqual(['queue_full', 'finished', 'too_long']);
  });

  it('is over when it is told, and tells what was left', () => {
    const { results, seconds } = run({ arrivals: [request(1, 0), request(2, 5)], until: 0.1 });
    expect(seconds).toBe(0.1);
    expect(results).toMatchObject([{ outcome: 'unfinished', tokens: 1, end: 0.1 }]);
  });

  it('lets requests follow from results, in a conversation that hits what it has said', () => {
    let turn = 0;
    const { results } = run({
      arrivals: [request(0, 0, { maxTokens: 20, outputToken: (index: number) => 7000 + index })],
      follow: ({ request: { spec: last } }, now) => {
        if (++turn > 1) return null;
        const said = Array.from({ length: 20 }, (_, index) => 7000 + index);
        const promptTokens = Int32Array.from([...last.promptTokens, ...said, 1, 2, 3]);
        return { ...request(turn, now + 10), spec: { ...last, promptTokens } };
      },
    });
    // 100 tokens of the prompt and 19 computed ones of the answer: 7 full blocks of 16.
    expect(results.map(({ cachedTokens }) => cachedTokens)).toEqual([0, 112]);
  });

  it('refuses arrivals that go back in time, engines that are not there, and no engines', () => {
    expect(() => run({ arrivals: [request(1, 1), request(2, 0)] })).toThrow('arrives at 0 s, before 1 s');
    expect(() => run({ arrivals: [request(1, 1)], choose: () => 1 })).toThrow('there is no engine 1');
    expect(() => run({ arrivals: [request(1, 1)], follow: () => request(2, 0) })).toThrow('before');
    expect(() => run({ engines: [] })).toThrow('there is no engine');
  });

  it('loses nothing and gives the same for the same seed', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 4 }), (seed, engines) => {
        const once = (): readonly VirtualResult[] =>
          run({
            engines: Array.from({ length: engines }, () => ({ ...L4, blocks: 200 })),
            arrivals: chats(seed, 20, 60),
            choose: ({ id }) => id % engines,
          }).results;
        const results = once();
        expect(new Set(results.map(({ request: { id } }) => id)).size).toBe(60);
        for (const { outcome, request: one, tokens, firstToken, end } of results) {
          expect(outcome).toBe('finished');
          expect(tokens).toBe(one.spec.maxTokens);
          expect(firstToken).toBeGreaterThan(one.arrival);
          expect(end).toBeGreaterThanOrEqual(firstToken as number);
        }
        const times = ({ end, firstToken }: VirtualResult): unknown => [end, firstToken];
        expect(once().map(times)).toEqual(results.map(times));
      }),
      { numRuns: 15 },
    );
  });

  it('shows that keeping prefixes together hits more than taking turns', () => {
    const hitRate = (choose: VirtualSetup['choose']): number =>
      summaryOf(
        run({
          engines: Array.from({ length: 4 }, () => ({ ...L4, blocks: 150 })),
          arrivals: chats(1, 2, 200),
          choose,
        }).results,
      ).hitRate;
    const together = hitRate(
      ({ session, id }) => (session.startsWith('shared') ? Number(session.slice(7)) : id) % 4,
    );
    expect(together).toBeGreaterThan(1.2 * hitRate(({ id }) => id % 4));
  });
});
