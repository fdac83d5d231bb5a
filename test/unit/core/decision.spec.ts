import { decidedPlace, explanation } from '../../../src/core/decision.js';
import type { Ranked } from '../../../src/core/ranking.js';
import { candidate, engineNumber } from '../../support/strategy.contract.js';

const place = (number: number, over: Partial<Ranked> = {}): Ranked => ({
  candidate: candidate(engineNumber(number)),
  reason: 'in turn',
  ...over,
});
const terms = { uncached: 10.12345, pending: 0, inFlight: 1, slowness: 1, cost: 20 };
const urlOf = (number: number): string => engineNumber(number).url;

describe('the explanation of a choice', () => {
  it('has what there is: terms, a runner-up, the margin between both', () => {
    const plain = [place(1), place(2)];
    expect(explanation(plain[0]!, plain, 1)).toBe(
      `engine=${urlOf(1)}; attempt=1; reason=in turn; runner-up=${urlOf(2)}`,
    );
    expect(explanation(plain[1]!, plain, 3)).toBe(`engine=${urlOf(2)}; attempt=3; reason=in turn`);
    const costly = [place(1, { terms }), place(2, { terms: { ...terms, cost: 20.5 } })];
    expect(explanation(costly[0]!, costly, 1)).toBe(
      `engine=${urlOf(1)}; attempt=1; reason=in turn; uncached=10.123; pending=0; in-flight=1; slowness=1; ` +
        `cost=20; runner-up=${urlOf(2)}; margin=0.5`,
    );
  });

  it.each([
    ['a\r\nset-cookie: b', 'reason=a  set-cookie: b'],
    ['a; cost=0', 'reason=a  cost=0'],
    ['caf\u00e9 \u4f60', 'reason=caf   '],
    ['x'.repeat(5_000), `reason=${'x'.repeat(200)}`],
    [undefined, 'reason='],
    [{ words: 'y' }, 'reason='],
  ])('cannot break a header, whatever a strategy gives as its reason', (reason, shown) => {
    const odd = place(1, { reason: reason as string });
    const text = explanation(odd, [odd], 1);
    expect(text).toBe(`engine=${urlOf(1)}; attempt=1; ${shown}`);
    expect(decidedPlace(odd).reason.length).toBeLessThanOrEqual(200);
  });

  it.each([{ cost: 1n, uncached: 2n }, { cost: Symbol('x') }, { cost: { toJSON: null } }, 'cheap', null])(
    'stays one, and a record stays JSON, whatever a strategy gives as its terms: %p',
    (odd) => {
      const ranked = [place(1, { terms: odd as never }), place(2, { terms: odd as never })];
      expect(explanation(ranked[0]!, ranked, 1)).toContain(
        'engine=http://10.0.0.1:8000; attempt=1; reason=in turn',
      );
      const kept = JSON.parse(JSON.stringify(decidedPlace(ranked[0]!)));
      expect([null, undefined]).toContain(kept.cost);
    },
  );
});
