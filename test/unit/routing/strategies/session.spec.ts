import { SessionStrategy } from '../../../../src/routing/strategies/session.strategy.js';
import {
  candidate,
  candidates,
  engineNumber,
  requestFacts,
  urlsOf,
} from '../../../support/strategy.contract.js';

const engine = (number: number): string => `http://10.0.0.${number}:8000`;
const strategy = new SessionStrategy({ sessionLoadFactor: 0 });
const homeOf = (session: string, given = candidates(5)): string =>
  urlsOf(strategy.rank(requestFacts({ session }), given))[0] ?? '';

describe('session', () => {
  it('keeps a session on one engine, whatever the load, the model or the order of the candidates', () => {
    const home = homeOf('user-1');
    for (const [index, given] of [candidates(5), candidates(5).reverse()].entries()) {
      const busy = given.map(({ engine: each }) =>
        candidate(each, { inFlight: each.url === home ? 999 : 0 }),
      );
      const request = requestFacts({ session: 'user-1', model: `m${index}`, id: `r${index}` });
      expect(urlsOf(strategy.rank(request, busy))[0]).toBe(home);
    }
  });

  it('goes by the URL, so that a replica that knows the engine under another id agrees', () => {
    const renamed = candidates(5).map(({ engine: each }) => candidate({ ...each, id: `pod-${each.url}` }));
    for (let index = 0; index < 50; index++) {
      expect(homeOf(`user-${index}`, renamed)).toBe(homeOf(`user-${index}`));
    }
  });

  it('balances sessions over the engines', () => {
    const counts = new Map<string, number>();
    for (let index = 0; index < 5_000; index++) {
      const home = homeOf(`6f1c2a${index}`);
      counts.set(home, (counts.get(home) ?? 0) + 1);
    }
    expect(counts.size).toBe(5);
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  it('moves only the sessions of an engine that goes, each to the engine ranked second, and back', () => {
    const all = candidates(6);
    const left = all.filter((one) => one.engine.url !== engine(3));
    const second = new Set<string>();
    for (let index = 0; index < 1_000; index++) {
      const [first, next] = urlsOf(strategy.rank(requestFacts({ session: `u${index}` }), all)) as [
        string,
        string,
      ];
      expect(homeOf(`u${index}`, left)).toBe(first === engine(3) ? next : first);
      if (first === engine(3)) second.add(next);
    }
    // Its sessions spread over all the others.
    expect(second.size).toBe(5);
  });

  it.each([null, ''])('sends a request with session %p where the fewest are in flight', (session) => {
    const given = [
      candidate(engineNumber(1), { inFlight: 2, qps: 0 }),
      candidate(engineNumber(2), { inFlight: 1, qps: 5 }),
      candidate(engineNumber(4), { inFlight: 1, qps: 1 }),
      candidate(engineNumber(3), { inFlight: 1, qps: 1 }),
    ];
    expect(urlsOf(strategy.rank(requestFacts({ session }), given))).toEqual([3, 4, 2, 1].map(engine));
  });
});

describe('session with a load factor', () => {
  const bounded = new SessionStrategy({ sessionLoadFactor: 1.25 });
  const request = requestFacts({ session: 'user-1' });
  const order = urlsOf(bounded.rank(request, candidates(4)));
  const loaded = (loads: readonly number[]): ReturnType<typeof candidates> =>
    candidates(4).map(({ engine: each }) =>
      candidate(each, { inFlight: loads[order.indexOf(each.url)] ?? 0 }),
    );

  it('goes to the home while that has at most the factor times the mean', () => {
    // 20 in flight and this one: the mean is 5.25, the bound 7.
    expect(urlsOf(bounded.rank(request, loaded([6, 4, 5, 5])))).toEqual(order);
  });

  it('passes over what has more, in the order of the session', () => {
    const ranking = bounded.rank(request, loaded([7, 7, 3, 3]));
    expect(urlsOf(ranking)).toEqual([2, 3, 0, 1].map((place) => order[place]));
    expect(ranking[0]?.reason).toBe('next home of the session');
    expect(ranking[2]?.reason).toBe('home of the session, passed over: 7 in flight, bound 7');
  });

  it('never holds more than the bound on one engine, whatever the sessions', () => {
    const counts = new Map(candidates(4).map(({ engine: each }) => [each.url, 0]));
    for (let sent = 1; sent <= 400; sent++) {
      const given = candidates(4).map(({ engine: each }) =>
        candidate(each, { inFlight: counts.get(each.url) ?? 0 }),
      );
      const [first = ''] = urlsOf(bounded.rank(requestFacts({ session: `user-${sent % 3}` }), given));
      counts.set(first, (counts.get(first) ?? 0) + 1);
      expect(Math.max(...counts.values())).toBeLessThanOrEqual(Math.ceil((1.25 * sent) / 4));
    }
  });

  it('ranks engines whose loads make no sense', () => {
    const odd = candidates(3).map(({ engine: each }, at) =>
      candidate(each, { inFlight: [NaN, Infinity, -1][at] ?? 0 }),
    );
    expect(bounded.rank(request, odd)).toHaveLength(3);
  });
});
