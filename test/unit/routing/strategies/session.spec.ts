import { FewestInFlightStrategy } from '../../../../src/routing/strategies/fewest-in-flight.strategy.js';
import { SessionStrategy } from '../../../../src/routing/strategies/session.strategy.js';
import {
  candidate,
  candidates,
  engineNumber,
  requestFacts,
  urlsOf,
} from '../../../support/strategy.contract.js';

const engine = (number: number): string => `http://10.0.0.${number}:8000`;
const strategy = new SessionStrategy();
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

describe('fewest in flight', () => {
  it('ranks by requests in flight, then rate, then URL', () => {
    const given = [
      candidate(engineNumber(5), { inFlight: 0, qps: 2 }),
      candidate(engineNumber(4), { inFlight: 0, qps: 1 }),
      candidate(engineNumber(3), { inFlight: 7, qps: 0 }),
      candidate(engineNumber(2), { inFlight: 0, qps: 1 }),
    ];
    const ranking = new FewestInFlightStrategy().rank(requestFacts(), given);
    expect(urlsOf(ranking)).toEqual([2, 4, 5, 3].map(engine));
    expect(ranking[3]?.reason).toBe('7 in flight');
  });

  it('puts an engine whose figures are not known last', () => {
    const given = [
      candidate(engineNumber(1), { inFlight: NaN }),
      candidate(engineNumber(2), { inFlight: 50 }),
    ];
    expect(urlsOf(new FewestInFlightStrategy().rank(requestFacts(), given))).toEqual([2, 1].map(engine));
  });

  it('is ranked anew for a retry', () => {
    expect(new FewestInFlightStrategy().ranksBySignals).toBe(true);
    expect(strategy.ranksBySignals).toBe(false);
  });
});
