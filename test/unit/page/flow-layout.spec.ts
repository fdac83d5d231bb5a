import { flowLayout } from '../../../page/flow-layout.js';
import { ago, amount, duration, ending, percent, shortened } from '../../../page/format.js';

describe('the picture of requests', () => {
  const picture = flowLayout(
    [
      { model: 'm', engine: 'a', rate: 3 },
      { model: 'm', engine: 'b', rate: 1 },
      { model: 'n', engine: 'b', rate: 2 },
    ],
    ['m', 'n', 'idle'],
    ['a', 'b', 'c'],
  );

  it('has bands as wide as what flows, and boxes as high as their bands', () => {
    expect(picture.total).toBe(6);
    const width = new Map(picture.sent.map((band) => [band.key, band.width]));
    expect(width.get('m a')! / width.get('m b')!).toBeCloseTo(3);
    const [a, b] = picture.engines;
    expect(a!.height).toBeCloseTo(width.get('m a')!);
    expect(b!.height).toBeCloseTo(width.get('m b')! + width.get('n b')!);
    expect(picture.asked.map(({ rate }) => rate)).toEqual([4, 2]);
  });

  it('lets nothing overlap', () => {
    for (const nodes of [picture.models, picture.engines]) {
      nodes.forEach(({ y, height }, at) => {
        expect(y + height).toBeLessThanOrEqual(nodes[at + 1]?.y ?? picture.height);
      });
    }
  });

  it('shows what is idle', () => {
    expect(picture.models[2]).toMatchObject({ key: 'idle', rate: 0 });
    expect(picture.engines[2]!.height).toBeGreaterThan(0);
    expect(flowLayout([], ['m'], ['a'])).toMatchObject({ total: 0, sent: [], asked: [] });
  });
});

describe('the figures of the page', () => {
  it.each([
    [duration(null), '–'],
    [duration(0.01234), '12.3 ms'],
    [duration(0.9999), '1.00 s'],
    [duration(12.34), '12.3 s'],
    [duration(120), '120 s'],
    [amount(0), '0'],
    [amount(0.123), '0.12'],
    [amount(12.34), '12.3'],
    [amount(1_234), '1,234'],
    [amount(12_345), '12.3k'],
    [amount(1_234_567), '1.2M'],
    [percent(0.0123), '1.2%'],
    [percent(1), '100%'],
    [ago(3), 'just now'],
    [ago(600), '10 min ago'],
    [ending('http://10.0.0.7:8000', 8), '….7:8000'],
    [shortened('a-very-long-name', 9), 'a-ve…name'],
  ])('are short: %s', (shown, wanted) => {
    expect(shown).toBe(wanted);
  });
});
