import fc from 'fast-check';
import type { Candidate } from '../../../../src/core/ranking.js';
import { CostRanked, sortByCost } from '../../../../src/routing/strategies/prefix-aware/cost-ranked.js';

const few = fc.integer({ min: 0, max: 3 });
const candidate = {} as Candidate;
const place = fc
  .tuple(few, few, few, few)
  .map(
    ([cost, inFlight, held, lot]) => new CostRanked(candidate, cost, 1, 0, inFlight, 1, 1, false, held, lot),
  );

const keyOf = ({ cost, inFlight, held, lot }: CostRanked): string => `${cost}${inFlight}${held}${lot}`;

describe('the order of places by cost', () => {
  test.each([
    ['few', 0, 128],
    ['many', 129, 200],
  ])('cost, then requests in flight, then blocks held, then chance, of %s places', (_name, least, most) => {
    fc.assert(
      fc.property(fc.array(place, { minLength: least, maxLength: most }), (places) => {
        const sorted = sortByCost([...places]);
        expect(sorted.map(keyOf)).toEqual(places.map(keyOf).sort());
        expect(new Set(sorted)).toEqual(new Set(places));
      }),
      { numRuns: 50 },
    );
  });
});
