import { joinedFigures, type StrategyFigure, validFigures } from '../../../src/core/strategy-figure.js';

const figure = (over: Partial<StrategyFigure> = {}): StrategyFigure => ({
  name: 'things',
  type: 'counter',
  help: 'Things.',
  values: [{ labels: {}, value: 1 }],
  ...over,
});

describe('figures of a strategy', () => {
  it('are shown as far as they are valid', () => {
    expect(validFigures([figure()])).toEqual([figure()]);
    for (const nothing of [undefined, null, 7, 'x', {}, [null], [figure({ name: 'A b' })], [{ name: 'x' }]]) {
      expect(validFigures(nothing)).toEqual([]);
    }
    expect(validFigures([figure(), figure({ help: 'Again.' })])).toEqual([figure()]);
    for (const help of [undefined, null, 7, {}])
      expect(validFigures([figure({ help: help as never })])).toEqual([figure({ help: '' })]);
    const odd = [null, { labels: null, value: 1 }, { labels: { 'a b': 'x' }, value: 1 }, { labels: {} }];
    expect(validFigures([{ ...figure(), values: [...odd, { labels: { a: 'x' }, value: 2 }] }])).toEqual([
      figure({ values: [{ labels: { a: 'x' }, value: 2 }] }),
    ]);
  });

  it('are bounded', () => {
    const many = Array.from({ length: 100 }, (_, n) => figure({ name: `thing_${n}` }));
    expect(validFigures(many)).toHaveLength(64);
    const values = Array.from({ length: 20_000 }, (_, n) => ({ labels: { n: String(n) }, value: 1 }));
    expect(validFigures([figure({ values })])[0]?.values).toHaveLength(10_000);
  });

  it('of several processes are one: counters added up, gauges of the first', () => {
    const of = (type: StrategyFigure['type'], a: number, b: number | null): StrategyFigure =>
      figure({
        type,
        name: type,
        values: [
          { labels: { engine: 'a', kind: 'x' }, value: a },
          ...(b === null ? [] : [{ labels: { kind: 'x', engine: 'b' }, value: b }]),
        ],
      });
    const parts = [
      [of('counter', 1, null), of('gauge', 1, null)],
      [of('counter', 10, 20), of('gauge', 10, 20)],
    ];
    const joined = joinedFigures(parts).map(({ name, values }) => [name, values.map(({ value }) => value)]);
    expect(joined).toEqual([
      ['counter', [11, 20]],
      ['gauge', [1]],
    ]);
  });
});
