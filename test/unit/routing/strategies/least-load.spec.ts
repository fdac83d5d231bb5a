import { LeastLoadStrategy } from '../../../../src/routing/strategies/least-load.strategy.js';
import { candidate, engineNumber, requestFacts, urlsOf } from '../../../support/strategy.contract.js';

const engine = (number: number): string => `http://10.0.0.${number}:8000`;
const strategy = new LeastLoadStrategy();

describe('leastload', () => {
  it('ranks by requests in flight, then rate, then URL', () => {
    const given = [
      candidate(engineNumber(5), { inFlight: 0, qps: 2 }),
      candidate(engineNumber(4), { inFlight: 0, qps: 1 }),
      candidate(engineNumber(3), { inFlight: 7, qps: 0 }),
      candidate(engineNumber(2), { inFlight: 0, qps: 1 }),
    ];
    const ranking = strategy.rank(requestFacts(), given);
    expect(urlsOf(ranking)).toEqual([2, 4, 5, 3].map(engine));
    expect(ranking[3]?.reason).toBe('7 in flight');
  });

  it('puts an engine whose figures are not known last', () => {
    const given = [
      candidate(engineNumber(1), { inFlight: NaN }),
      candidate(engineNumber(2), { inFlight: 50 }),
    ];
    expect(urlsOf(strategy.rank(requestFacts(), given))).toEqual([2, 1].map(engine));
  });

  it('is ranked anew for a retry', () => {
    expect(strategy.ranksBySignals).toBe(true);
  });
});
