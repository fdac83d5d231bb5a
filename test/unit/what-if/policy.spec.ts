import { PROFILES } from '../../../src/simulator/model/engine-profile.js';

import { runCell } from '../../../src/what-if/cells/run-cell.js';
import type { RunFigures } from '../../../src/what-if/run-figures.js';
import { WORKLOADS } from '../../../src/what-if/workloads/index.js';

/** The policy check in short: three engines, twenty seconds, three workloads, two seeds. */
const ENGINES = 3;
const OTHERS = ['roundrobin', 'leastload', 'session', 'sglang'];

function run(policy: string, workload: string, seed: number): RunFigures {
  const rate = ((WORKLOADS.find(({ name }) => name === workload)?.rate ?? 1) * ENGINES) / 8;
  return runCell({
    ...{ policy, workload, rate, seed, seconds: 15, warmUp: 5 },
    engines: Array.from({ length: ENGINES }, () => PROFILES['h100-8b']),
    targets: { ttft: 2, tpot: 0.05 },
  });
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

describe.each(['chat', 'hot', 'unique'])('on %s, prefixaware', (workload) => {
  const runs = (policy: string): RunFigures[] => [1, 2].map((seed) => run(policy, workload, seed));
  const own = runs('prefixaware');

  it.each(OTHERS)('does not serve fewer requests in time than %s, nor much later', (other) => {
    const theirs = runs(other);
    const goodput = (all: readonly RunFigures[]): number => mean(all.map((one) => one.goodput));
    const ttft = (all: readonly RunFigures[]): number => mean(all.map((one) => one.ttft.mean));
    expect(goodput(own)).toBeGreaterThan(goodput(theirs) - 0.05);
    expect(ttft(own)).toBeLessThan(ttft(theirs) * 1.5);
  });
});
