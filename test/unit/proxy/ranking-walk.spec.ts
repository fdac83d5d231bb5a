import type { Candidate } from '../../../src/core/ranking.js';
import type { RequestFacts } from '../../../src/core/request-facts.js';
import type { ExchangeServices } from '../../../src/proxy/exchange-services.js';
import { type LastResort, RankingWalk } from '../../../src/proxy/ranking-walk.js';

const candidate = (id: string): Candidate => ({ engine: { id } }) as Candidate;
const place = (id: string) => ({ candidate: candidate(id), reason: '' });

/** What is told of a fleet: the engines to which a retry may go, and those that are ejected: `slow…` ones after a wait. */
function walk(
  ranked: readonly string[],
  mayTry: readonly string[],
  ejected: readonly string[] = [],
): RankingWalk {
  const untried = (from: readonly string[], tried: ReadonlySet<string>) =>
    from.filter((id) => !tried.has(id)).map(candidate);
  const services = {
    candidates: {
      eligible: ({ id }: { id: string }) => mayTry.includes(id),
      untried: (_model: string, tried: ReadonlySet<string>) => untried(mayTry, tried),
      lastResort: (_model: string, tried: ReadonlySet<string>, atOnce: boolean) =>
        untried(
          ejected.filter((id) => !atOnce || !id.startsWith('slow')),
          tried,
        ),
    },
    routing: {
      ranksBySignals: false,
      rank: (_facts: RequestFacts, all: readonly Candidate[]) => all.map(({ engine }) => place(engine.id)),
    },
  } as unknown as ExchangeServices;
  return new RankingWalk({ model: 'm' } as RequestFacts, ranked.map(place), services);
}

/** The engines that a request meets when each one fails it. */
function met(way: RankingWalk, last: LastResort): string[] {
  const ids: string[] = [];
  for (let next = way.next(0, last); next !== undefined; next = way.next(0, last)) {
    ids.push(next.candidate.engine.id);
    expect(way.foundIn).toContain(next);
    way.take(next.candidate.engine.id);
  }
  return ids;
}

describe('RankingWalk', () => {
  it('meets each engine of the ranking once, in its order, without those that may not be tried now', () => {
    expect(met(walk(['a', 'b', 'c'], ['a', 'c']), 'none')).toEqual(['a', 'c']);
  });

  it('meets engines that had no turn in the ranking, or have come since, after those that had', () => {
    for (const last of ['none', 'any'] as const) {
      expect(met(walk(['b', 'a'], ['a', 'b', 'slow', 'new']), last)).toEqual(['b', 'a', 'slow', 'new']);
    }
  });

  it('meets ejected engines last, as far as it is told to', () => {
    expect(met(walk(['a'], ['a', 'b'], ['out', 'slow']), 'any')).toEqual(['a', 'b', 'out', 'slow']);
    expect(met(walk(['a'], ['a', 'b'], ['out', 'slow']), 'fails_at_once')).toEqual(['a', 'b', 'out']);
    expect(met(walk(['a'], ['a', 'b'], ['out', 'slow']), 'none')).toEqual(['a', 'b']);
  });
});
