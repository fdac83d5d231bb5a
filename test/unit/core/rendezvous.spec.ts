import fc from 'fast-check';
import { combine, hashText } from '../../../src/core/hash.js';
import { rendezvous } from '../../../src/core/rendezvous.js';

const nodes = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `http://10.0.0.${index + 1}:8000`);
const order = (key: string, names: readonly string[]): readonly string[] =>
  rendezvous(key, names, (name) => name);

describe('hashText', () => {
  it('has the same value in every release, so that sessions survive an upgrade', () => {
    expect(hashText('')).toEqual({ high: 1994770353, low: 965124797 });
    expect(hashText('user-1')).toEqual({ high: 1214480747, low: 4204239528 });
    expect(hashText('größe 😀')).toEqual({ high: 4237709247, low: 4075397935 });
  });

  it('tells texts apart that differ in one character, in order or in length alone', () => {
    const texts = ['a', 'b', 'ab', 'ba', 'aa', 'aaa', 'a\0', '\0a', '\0', '\0\0', ''];
    expect(new Set(texts.map((text) => JSON.stringify(hashText(text)))).size).toBe(texts.length);
  });

  it('has no collision in 100,000 similar texts', () => {
    const seen = new Set<string>();
    for (let index = 0; index < 100_000; index++) {
      const { high, low } = hashText(`session-${index}`);
      seen.add(`${high}:${low}`);
    }
    expect(seen.size).toBe(100_000);
  });

  it('combines to another value when the two sides are swapped', () => {
    const [a, b] = [hashText('a'), hashText('b')] as const;
    expect(combine(a, b)).not.toEqual(combine(b, a));
  });
});

describe('rendezvous', () => {
  it('orders every node exactly once, whatever order they come in', () => {
    fc.assert(
      fc.property(fc.string(), fc.uniqueArray(fc.string(), { maxLength: 12 }), (key, names) => {
        const ranked = order(key, names);
        expect([...ranked].sort()).toEqual([...names].sort());
        expect(order(key, [...names].reverse())).toEqual(ranked);
      }),
    );
  });

  it('keeps the order of the others when a node leaves', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 0, max: 7 }), (key, gone) => {
        const all = nodes(8);
        const left = all.filter((_, index) => index !== gone);
        expect(order(key, left)).toEqual(order(key, all).filter((name) => name !== all[gone]));
      }),
    );
  });

  it.each([2, 3, 5, 16])('gives each of %i nodes its share, for first and second choices', (count) => {
    const names = nodes(count);
    const keys = 3_000;
    const shares = [new Map<string, number>(), new Map<string, number>()] as const;
    for (let index = 0; index < keys; index++) {
      const ranked = order(`user-${index}`, names);
      shares.forEach((share, place) => {
        const name = ranked[place] as string;
        share.set(name, (share.get(name) ?? 0) + 1);
      });
    }
    const fair = keys / count;
    // Five standard deviations of a fair draw.
    const slack = 5 * Math.sqrt(fair * (1 - 1 / count));
    for (const share of shares) {
      for (const name of names) expect(Math.abs((share.get(name) ?? 0) - fair)).toBeLessThan(slack);
    }
  });

  it('takes a key of a megabyte with many nodes in one pass over it', () => {
    const key = 'x'.repeat(1_000_000);
    expect(order(key, nodes(100))).toHaveLength(100);
  });
});
