import type { Candidate } from '../../../../src/core/ranking.js';
import { RoundRobinStrategy } from '../../../../src/routing/strategies/round-robin.strategy.js';
import {
  candidates,
  dispatched,
  finished,
  requestFacts,
  urlsOf,
} from '../../../support/strategy.contract.js';

const engine = (number: number): string => `http://10.0.0.${number}:8000`;

/** Sends one request as the proxy does, and says where it went. */
function send(strategy: RoundRobinStrategy, model: string, given: readonly Candidate[]): string {
  const request = requestFacts({ model });
  const chosen = strategy.rank(request, given)[0]?.candidate.engine;
  if (!chosen) throw new Error('no candidate');
  strategy.observe(dispatched(request, chosen));
  strategy.observe(finished(request, chosen));
  return chosen.url;
}

function countOf(sent: readonly string[]): number[] {
  const counts = new Map<string, number>();
  for (const url of sent) counts.set(url, (counts.get(url) ?? 0) + 1);
  return [...counts.values()];
}

describe('roundrobin', () => {
  it('goes round the engines in the order of their URLs, however they are given', () => {
    const strategy = new RoundRobinStrategy();
    const [one, two, three] = candidates(3) as [Candidate, Candidate, Candidate];
    expect(urlsOf(strategy.rank(requestFacts(), [three, one, two]))).toEqual([
      engine(1),
      engine(2),
      engine(3),
    ]);
    const shuffled = [
      [three, one, two],
      [two, three, one],
      [one, two, three],
      [two, one, three],
    ];
    expect(shuffled.map((given) => send(strategy, 'm', given))).toEqual([1, 2, 3, 1].map(engine));
    expect(urlsOf(strategy.rank(requestFacts({ model: 'm' }), [one, two, three]))).toEqual(
      [2, 3, 1].map(engine),
    );
  });

  it('spreads 3,000 requests of three interleaved models evenly to within one, each in stable order', () => {
    const strategy = new RoundRobinStrategy();
    const fleets = { a: candidates(3), b: candidates(4), c: candidates(7) };
    const sent: Record<string, string[]> = { a: [], b: [], c: [] };
    // Uneven bursts: what one model does must not show in another's round.
    const pattern = ['a', 'a', 'b', 'c', 'a', 'b', 'b', 'b', 'c', 'a'] as const;
    for (let index = 0; index < 3_000; index++) {
      const model = pattern[index % pattern.length] as keyof typeof fleets;
      sent[model]?.push(send(strategy, model, fleets[model]));
    }
    for (const [model, fleet] of Object.entries(fleets)) {
      const counts = countOf(sent[model] ?? []);
      expect(counts).toHaveLength(fleet.length);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      sent[model]?.forEach((url, index) => expect(url).toBe(engine(1 + (index % fleet.length))));
    }
  });

  it('stays even over the engines that are left when one goes, and takes up one that comes', () => {
    const strategy = new RoundRobinStrategy();
    const four = candidates(4);
    const three = four.filter((one) => one.engine.url !== engine(2));
    expect([1, 2].map(() => send(strategy, 'm', four))).toEqual([1, 2].map(engine));
    const without = Array.from({ length: 300 }, () => send(strategy, 'm', three));
    expect(without.slice(0, 3)).toEqual([3, 4, 1].map(engine));
    expect(countOf(without)).toEqual([100, 100, 100]);
    const again = Array.from({ length: 400 }, () => send(strategy, 'm', four));
    expect(countOf(again)).toEqual([100, 100, 100, 100]);
  });

  it('goes on from where it was when the whole fleet is replaced', () => {
    const strategy = new RoundRobinStrategy();
    send(strategy, 'm', candidates(2));
    const others = candidates(5).slice(2);
    expect([1, 2, 3, 4].map(() => send(strategy, 'm', others))).toEqual([3, 4, 5, 3].map(engine));
  });

  it('is moved by first attempts alone', () => {
    const strategy = new RoundRobinStrategy();
    const given = candidates(3);
    const request = requestFacts({ model: 'm' });
    const [one, two, three] = given.map((each) => each.engine) as [never, never, never];
    strategy.observe(dispatched(request, one, 1));
    strategy.observe(dispatched(request, two, 2));
    strategy.observe({ type: 'firstToken', request, engine: three, at: 1, attempt: 1, sinceDispatch: 1 });
    strategy.observe(finished(request, three, 1));
    expect(urlsOf(strategy.rank(request, given))[0]).toBe(engine(2));
  });

  it('remembers 1,024 models, those used last', () => {
    const strategy = new RoundRobinStrategy();
    const given = candidates(2);
    for (let index = 0; index < 1_024; index++) send(strategy, `m${index}`, given);
    send(strategy, 'm0', given);
    send(strategy, 'm0', given);
    send(strategy, 'one more', given);
    const first = (model: string): string => urlsOf(strategy.rank(requestFacts({ model }), given))[0] ?? '';
    expect(first('m0')).toBe(engine(2));
    expect(first('m2')).toBe(engine(2));
    // m1 was used the longest ago, so it begins anew.
    expect(first('m1')).toBe(engine(1));
  });
});
