import type { RunFigures } from '../../../src/what-if/run-figures.js';
import { knownReason } from '../../../src/what-if/report/known-losses.js';
import { policyRow, type PolicyRow } from '../../../src/what-if/report/policy-row.js';
import { lossesOf } from '../../../src/what-if/report/quality-page.js';
import { verdictOn } from '../../../src/what-if/report/verdict.js';

function row(policy: string, goodputs: readonly number[], ttft = 0.1): PolicyRow {
  const times = { count: 100, median: ttft, p90: ttft, p99: ttft };
  const runs = goodputs.map((goodput, seed): RunFigures => ({
    ...{ requests: 100, goodput, hitRate: 0.5, imbalance: 1, unfinished: 0, refused: 0, preemptions: 0 },
    // Seeds differ a little, as they do.
    ttft: { mean: ttft * (1 + seed / 100), ...times },
    tpot: { mean: 0.02, ...times },
  }));
  return policyRow(policy, runs);
}

describe('the verdict on two policies', () => {
  const own = row('own', [0.9, 0.91, 0.92]);

  it('is lost when the whole interval of the difference lies below two of a hundred', () => {
    expect(verdictOn(own, row('other', [0.95, 0.96, 0.97])).outcome).toBe('lost');
    expect(verdictOn(own, row('other', [0.91, 0.92, 0.93])).outcome).toBe('level');
  });

  it('is level when the difference is not sure', () => {
    expect(verdictOn(own, row('other', [0.99, 0.9, 0.99])).outcome).toBe('level');
  });

  it('is lost with level goodput when the first token takes 1.2 times as long for sure', () => {
    expect(verdictOn(own, row('other', [0.9, 0.91, 0.92], 0.08)).outcome).toBe('lost');
    expect(verdictOn(own, row('other', [0.9, 0.91, 0.92], 0.09)).outcome).toBe('level');
  });

  it('is won from the other side, whatever the first token takes', () => {
    expect(verdictOn(own, row('other', [0.8, 0.81, 0.82], 0.01)).outcome).toBe('won');
    expect(verdictOn(own, row('other', [0.9, 0.91, 0.92], 0.2)).outcome).toBe('won');
  });
});

describe('losses', () => {
  it('are told with the reason why they are known', () => {
    const traffic = { workload: 'hot', description: '', load: 1, rate: 60 };
    const rows = [row('own', [0.9, 0.91, 0.92]), row('other', [0.99, 0.99, 0.99]), row('worse', [0, 0, 0])];
    const losses = lossesOf([{ ...traffic, rows }], 'own');
    expect(losses.map(({ verdict, reason }) => [verdict.other, reason])).toEqual([['other', null]]);
  });

  it('are known for one workload, load and policy alone', () => {
    const known = [{ workload: 'hot', load: 1, other: 'a', reason: 'because' }];
    expect(knownReason('hot', 1, 'a', known)).toBe('because');
    expect(knownReason('hot', 1.1, 'a', known)).toBeNull();
    expect(knownReason('hot', 1, 'b', known)).toBeNull();
  });
});
