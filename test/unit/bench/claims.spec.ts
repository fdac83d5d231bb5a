interface Verdict {
  readonly what: string;
  readonly found: string;
  readonly holds: boolean | null;
}

type Figures = Record<string, Record<string, Record<string, number>>>;
type Held = Record<string, Record<number, Record<string, number>>>;

const { judge } = require('../../../bench/claims.mjs') as {
  judge(figures: readonly Figures[], held: readonly Held[], llm: readonly string[]): Verdict[];
};

const small = (ours: number, nginx: number, a: number, b: number): Figures => ({
  small: { ours: { cost: ours }, nginx: { cost: nginx }, a: { cost: a }, b: { cost: b } },
});

const find = (verdicts: readonly Verdict[], what: string): Verdict | undefined =>
  verdicts.find((verdict) => verdict.what === what);

describe('the claims of the benchmark', () => {
  it('are judged by the median of the ratios within each run', () => {
    const verdicts = judge(
      [small(20, 10, 90, 80), small(40, 10, 90, 80), small(27, 10, 90, 80)],
      [],
      ['a', 'b'],
    );
    expect(find(verdicts, '1 KB request, CPU, over nginx')).toMatchObject({
      found: '2.70 (2.00 to 4.00)',
      holds: true,
    });
  });

  it('compare with the best of the other routers, and "lower" means in every run', () => {
    const what = '1 KB request, CPU, over the best LLM router';
    expect(find(judge([small(79, 10, 90, 80)], [], ['a', 'b']), what)?.holds).toBe(true);
    expect(find(judge([small(79, 10, 90, 80), small(81, 10, 90, 80)], [], ['a', 'b']), what)?.holds).toBe(
      false,
    );
  });

  it('judge what is added to the direct way', () => {
    const latency = (ours: number, a: number): Figures => ({
      latency: { ours: { p50: ours, p99: ours }, a: { p50: a, p99: a }, direct: { p50: 100, p99: 100 } },
    });
    const verdicts = judge([latency(300, 200)], [], ['a']);
    expect(find(verdicts, 'added latency p50, over the best LLM router')).toMatchObject({
      found: '2.00 (2.00 to 2.00)',
      holds: false,
    });
    expect(find(verdicts, 'added latency p99, over the best LLM router')?.holds).toBe(true);
  });

  it('say of what was not measured that it was not', () => {
    const verdicts = judge([small(20, 10, 90, 80)], [], ['a']);
    expect(find(verdicts, 'paced chunk, CPU, over nginx')?.holds).toBeNull();
    expect(judge([{}], [{}], []).every(({ holds }) => holds === null)).toBe(true);
  });

  it('take the worst run of held streams, and count a lost chunk as not complete', () => {
    const held = (miB: number, lost: number): Held => ({
      ours: { 1000: { completed: 1000, bad: 0, lost, miBPer1000: miB, healthP99Us: 9000 } },
    });
    const good = judge([], [held(30, 0), held(44, 0)], []).filter(({ what }) => what.startsWith('1,000'));
    expect(good.map(({ holds }) => holds)).toEqual([true, true, true]);
    const bad = judge([], [held(30, 1), held(46, 0)], []).filter(({ what }) => what.startsWith('1,000'));
    expect(bad.map(({ holds, found }) => [holds, found])).toEqual([
      [false, '1 of 2 runs'],
      [false, '46.0 MB at worst'],
      [true, '9.0 ms at worst'],
    ]);
  });
});
