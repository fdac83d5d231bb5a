import { EngineModel } from '../../../../src/simulator/model/engine-model.js';
import {
  type EngineProfile,
  type ProfileName,
  PROFILES,
} from '../../../../src/simulator/model/engine-profile.js';
import { prompt, spec } from './driver.js';

const MICRO = 1e6;

/** Microseconds of the first steps of an engine that is given these prompts, each with its own tokens. */
function steps(profile: EngineProfile, prompts: readonly number[], count: number): number[] {
  const model = new EngineModel(profile);
  for (const [index, length] of prompts.entries()) {
    model.submit(spec({ promptTokens: prompt(length, 100_000 * index), maxTokens: 100 }), 0);
  }
  return Array.from({ length: count }, () => {
    const step = model.beginStep(0);
    model.endStep(0, { token: () => {}, finished: () => {} });
    return (step?.seconds ?? NaN) * MICRO;
  });
}

const close = (figures: readonly number[], expected: readonly number[]): void => {
  expect(figures).toHaveLength(expected.length);
  for (const [index, figure] of figures.entries()) expect(figure).toBeCloseTo(expected[index] as number, 6);
};

describe('how long a step takes', () => {
  it.each<[ProfileName, number[]]>([
    // 6500 + 1000 × 28 + 500,500 × 0.00106; then 6500 + 8 + 1001 × 0.056, and one token of context more.
    ['h100-8b', [35_030.53, 6564.056, 6564.112]],
    // 62,000 + 1000 × 265 + 500,500 × 0.009; then 62,000 + 25 + 1001 × 0.55.
    ['l4-8b', [331_504.5, 62_575.55, 62_576.1]],
    // 2500 + 1000 × 100; then 2500 + 300.
    ['cpu', [102_500, 2800, 2800]],
    ['instant', [0, 0, 0]],
  ])('of %s: a prompt of 1000 tokens, and its next two tokens', (name, expected) => {
    close(steps(PROFILES[name], [1000], 3), expected);
  });

  it('computes a long prompt in chunks of the budget, each attending to what is before it', () => {
    // 2048 tokens attend to 2,098,176; the next 2048 to 4,194,304 more; the last 904 to 3,702,784 + 409,060.
    close(steps(PROFILES['l4-8b'], [5000], 4), [
      62_000 + 2048 * 265 + 2_098_176 * 0.009,
      62_000 + 2048 * 265 + 6_292_480 * 0.009,
      62_000 + 904 * 265 + 4_111_844 * 0.009,
      62_000 + 25 + 5001 * 0.55,
    ]);
  });

  it('takes prompts into the budget that sequences which decode leave', () => {
    // The second prompt gets 2048 - 1000 tokens, then 2048 - 1.
    close(steps(PROFILES['l4-8b'], [1000, 4000], 2), [
      62_000 + 2048 * 265 + (500_500 + 549_676) * 0.009,
      62_000 + 25 + 1001 * 0.55 + 2047 * 265 + (2047 * 1048 + (2047 * 2048) / 2) * 0.009,
    ]);
  });

  it('is that of the checks: 64 and 256 sequences on an H100', () => {
    const profile = { ...PROFILES['h100-8b'], maxBatchedTokens: 1e6 };
    const last = (prompts: number[]): number => steps(profile, prompts, 2)[1] as number;
    close([last(Array.from({ length: 64 }, () => 999))], [6500 + 64 * 8 + 64_000 * 0.056]);
    close([last(Array.from({ length: 256 }, () => 499))], [6500 + 256 * 8 + 128_000 * 0.056]);
  });

  it('waits for an adapter that is in no slot, once', () => {
    const profile = { ...PROFILES['l4-8b'], maxLoras: 1 };
    const model = new EngineModel(profile);
    const seconds = (adapter: string, promptTokens: number): number => {
      model.submit(spec({ adapter, maxTokens: 1, promptTokens: prompt(promptTokens) }), 0);
      const step = model.beginStep(0);
      model.endStep(0, { token: () => {}, finished: () => {} });
      return step?.seconds ?? NaN;
    };
    const plain = 62e-3 + 10 * 265e-6 + 55 * 9e-9;
    expect(seconds('a', 10)).toBeCloseTo(plain + 0.5, 9);
    expect(seconds('a', 10)).toBeCloseTo(plain, 9);
    expect(seconds('b', 10)).toBeCloseTo(plain + 0.5, 9);
    expect(seconds('a', 10)).toBeCloseTo(plain + 0.5, 9);
  });
});
