interface Bar {
  readonly name: string;
  readonly value: number;
  readonly own: boolean;
}

interface Stack {
  readonly frames: readonly string[];
  readonly count: number;
}

const { barChart, barScale } = require('../../../bench/charts.mjs') as {
  barChart(title: string, unit: string, rows: readonly Bar[]): string;
  barScale(values: readonly number[]): { log: boolean; at(value: number): number };
};
const { flameGraph, selfTime, groupOf, stacksOfPerf, stacksOfCpuProfile } =
  require('../../../bench/flame-graph.mjs') as {
    flameGraph(title: string, stacks: readonly Stack[]): string;
    selfTime(stacks: readonly Stack[]): { name: string; share: number }[];
    groupOf(frame: string): string;
    stacksOfPerf(text: string): Stack[];
    stacksOfCpuProfile(profile: unknown): Stack[];
  };

describe('a bar chart', () => {
  it('shows every row that has a value, the least first, with names escaped', () => {
    const rows = [
      { name: 'b<c', value: 20, own: false },
      { name: 'none', value: Number.NaN, own: false },
      { name: 'a', value: 1234.5, own: true },
    ];
    const svg = barChart('Title & more', 'us', rows);
    expect([...svg.matchAll(/text-anchor="end">([^<]+)</g)].map(([, name]) => name)).toEqual(['b&lt;c', 'a']);
    expect(svg).toContain('>1,235</text>');
    expect(svg).toContain('Title &amp; more');
    expect(svg.match(/class="o"/g)).toHaveLength(1);
  });

  it('has a logarithmic scale only for values far apart, and says so', () => {
    expect(barScale([1, 19]).log).toBe(false);
    expect(barScale([1, 30]).log).toBe(true);
    for (const scale of [barScale([5, 10]), barScale([1, 10, 5000])])
      expect(scale.at(scale.log ? 5000 : 10)).toBe(1);
    expect(
      barChart(
        't',
        'us',
        [1, 99].map((value) => ({ name: 'x', value, own: false })),
      ),
    ).toContain('logarithmic');
  });
});

describe('a flame graph', () => {
  const stacks = [
    { frames: ['main', 'JS:relay /app/dist/proxy/attempt.js:12', 'tcp_sendmsg [kernel]'], count: 3 },
    { frames: ['main', 'JS:relay /app/dist/proxy/attempt.js:12'], count: 1 },
  ];

  it('makes each box as wide as its share', () => {
    const svg = flameGraph('t', stacks);
    expect(svg).toContain('main: 100.00 %');
    expect(svg).toContain('tcp_sendmsg [kernel]: 75.00 %');
  });

  it('gives self time to the innermost frame', () => {
    expect(selfTime(stacks)).toMatchObject([
      { name: 'tcp_sendmsg [kernel]', share: 0.75 },
      { name: 'JS:relay /app/dist/proxy/attempt.js:12', share: 0.25 },
    ]);
  });

  it('groups frames by what runs them', () => {
    expect(groupOf('tcp_sendmsg [kernel]')).toBe('kernel');
    expect(groupOf('JS:*relay /app/dist/proxy/attempt.js:12')).toBe('JavaScript proxy/attempt.js');
    expect(groupOf('v8::internal::Scavenger::Process')).toBe('GC');
    expect(groupOf('Builtins_LoadIC')).toBe('V8 builtins');
    expect(groupOf('uv__io_poll')).toBe('Node and libraries');
  });

  it('reads what perf prints, the outermost frame first', () => {
    const sample =
      'node 12 3.4: \n\tffff81 tcp_sendmsg+0x12 ([kernel.kallsyms])\n\t55aa uv_run (/usr/bin/node)\n\n';
    expect(stacksOfPerf(sample + sample)).toEqual([{ frames: ['uv_run', 'tcp_sendmsg [kernel]'], count: 2 }]);
  });

  it('reads a profile of Node, without its idle time', () => {
    const frame = (functionName: string, url = ''): object => ({ functionName, url, lineNumber: 4 });
    const profile = {
      nodes: [
        { id: 1, callFrame: frame('(root)'), hitCount: 0, children: [2, 3] },
        { id: 2, callFrame: frame('(idle)'), hitCount: 90 },
        { id: 3, callFrame: frame('relay', 'file:///app/a.js'), hitCount: 7 },
      ],
    };
    expect(stacksOfCpuProfile(profile)).toEqual([{ frames: ['JS:relay /app/a.js:5'], count: 7 }]);
  });
});
