import { CacheBelief } from '../../../../src/core/cost/cache-belief.js';
import { ForeignLoad, FULL_ENGINE_TOKENS } from '../../../../src/core/cost/foreign-load.js';
import { LoadedAdapters, loadingTokens } from '../../../../src/core/cost/loaded-adapters.js';
import { TokenHabits } from '../../../../src/core/cost/token-habits.js';
import { engineStats, promptOf } from '../../../support/strategy.contract.js';

const usage = (prompt: number, completion: number) => ({ prompt, completion, cached: null });

describe('CacheBelief', () => {
  const sized = engineStats({ numGpuBlocks: 1_000, blockSize: 16 });

  it('is lost when the engine has been started anew, also where its counters are beyond the old ones already', () => {
    const belief = new CacheBelief();
    const told = (startedAt: number | undefined, promptTokens: number) =>
      belief.heedStats(engineStats({ promptTokens, ...(startedAt === undefined ? {} : { startedAt }) }), 0);
    expect(told(1.5e9, 100)).toBe('as believed');
    expect(told(undefined, 200)).toBe('as believed');
    expect(told(1.5e9, 300)).toBe('as believed');
    expect(told(1.6e9, 400)).toBe('lost');
    expect(told(1.6e9, 500)).toBe('as believed');
  });

  it('knows the size that the engine tells', () => {
    const belief = new CacheBelief();
    expect(belief.capacityTokens).toBeNull();
    expect(belief.heedStats(sized, 0)).toBe('as believed');
    expect(belief.capacityTokens).toBe(16_000);
    belief.heedStats(engineStats(), 0);
    expect(belief.capacityTokens).toBe(16_000);
  });

  it('grows to three times while more is cached than predicted, shrinks to .7 while less is', () => {
    const belief = new CacheBelief();
    belief.heedStats(sized, 0);
    for (let index = 0; index < 1_000; index++) belief.heedReported(10_000, 1_000, 9_000, true, 1);
    expect(belief.capacityTokens).toBeCloseTo(48_000, 6);
    for (let index = 0; index < 10_000; index++) belief.heedReported(10_000, 9_000, 1_000, true, 1);
    expect(belief.capacityTokens).toBeCloseTo(11_200, 6);
  });

  it('leaves the size alone while the index is not full, or predictions are right', () => {
    const belief = new CacheBelief();
    belief.heedStats(sized, 0);
    for (let index = 0; index < 100; index++) belief.heedReported(10_000, 1_000, 9_000, true, 0.5);
    for (let index = 0; index < 100; index++) belief.heedReported(10_000, 5_000, 5_100, true, 1);
    expect(belief.capacityTokens).toBe(16_000);
  });

  it('takes three prompts in a row of which nothing was cached for a lost cache', () => {
    const belief = new CacheBelief();
    const miss = (idle = true): string => belief.heedReported(2_000, 1_500, 0, idle, 0.2);
    expect([
      miss(),
      miss(),
      belief.heedReported(2_000, 1_500, 1_500, true, 0.2),
      miss(),
      miss(),
      miss(),
    ]).toEqual(['as believed', 'as believed', 'as believed', 'as believed', 'as believed', 'lost']);
    // Siblings of a prompt that is still being computed find nothing, and that is no loss.
    expect([miss(false), miss(false), miss(false), miss(false)]).not.toContain('lost');
    // Nor are prompts of which little was expected.
    expect(Array.from({ length: 9 }, () => belief.heedReported(2_000, 100, 0, true, 0))).not.toContain(
      'lost',
    );
  });

  it('goes by the counters where answers tell nothing', () => {
    const belief = new CacheBelief();
    belief.heedStats(sized, 0);
    for (let round = 0; round <= 20; round++) {
      belief.heedSent(60_000, 6_000);
      belief.heedStats(
        engineStats({ prefixCacheQueries: round * 60_000, prefixCacheHits: round * 50_000 }),
        1,
      );
    }
    expect(belief.capacityTokens).toBeGreaterThan(16_000 * 1.05 ** 18);
    expect(belief.capacityTokens).toBeLessThan(16_000 * 1.05 ** 21);
  });

  it('takes two readings without a hit, where many were expected, for a lost cache', () => {
    const belief = new CacheBelief();
    const verdicts = [0, 1, 2, 3].map((round) => {
      belief.heedSent(50_000, 40_000);
      return belief.heedStats(
        engineStats({ prefixCacheQueries: round * 50_000, prefixCacheHits: 1_000 }),
        0.5,
      );
    });
    expect(verdicts).toEqual(['as believed', 'as believed', 'lost', 'as believed']);
  });

  it('takes counters that go down for a restart, and sleep for a lost cache', () => {
    const belief = new CacheBelief();
    belief.heedStats(engineStats({ promptTokens: 500 }), 0);
    expect(belief.heedStats(engineStats({ promptTokens: 499 }), 0)).toBe('lost');
    expect(belief.heedStats(engineStats({ promptTokens: 499 }), 0)).toBe('as believed');
    belief.heedStats(engineStats({ prefixCacheQueries: 9, prefixCacheHits: 1 }), 0);
    expect(belief.heedStats(engineStats({ prefixCacheQueries: 8, prefixCacheHits: 1 }), 0)).toBe('lost');
    expect(belief.heedStats(engineStats({ awake: false }), 0)).toBe('lost');
    expect(belief.heedStats(engineStats({ awake: true }), 0)).toBe('as believed');
  });
});

describe('ForeignLoad', () => {
  const heard = (running: number, waiting = 0) => engineStats({ running, waiting });

  it('believes requests of others after three scrapes, the fewest of them', () => {
    const foreign = new ForeignLoad();
    foreign.heed(heard(10), 3, 0);
    foreign.heed(heard(5), 0, 1_000);
    expect(foreign.inFlight(1_000)).toBe(0);
    foreign.heed(heard(8), 2, 2_000);
    expect(foreign.inFlight(2_000)).toBe(5);
    foreign.heed(heard(2), 2, 3_000);
    expect(foreign.inFlight(3_000)).toBe(0);
  });

  it('counts an engine as full when two scrapes say so and nothing of the own is pending', () => {
    for (const full of [engineStats({ kvCacheUsage: 0.97 }), heard(1, 4)]) {
      const foreign = new ForeignLoad();
      foreign.heed(full, 100, 0);
      expect(foreign.pending(0, 0)).toBe(0);
      foreign.heed(full, 100, 1_000);
      expect(foreign.pending(1_000, 0)).toBe(FULL_ENGINE_TOKENS);
      expect(foreign.pending(1_000, 1)).toBe(0);
    }
  });

  it('does not hear scrapes that are three spacings old, or gone', () => {
    const foreign = new ForeignLoad();
    for (const at of [0, 10_000, 20_000]) foreign.heed(heard(9, 1), 0, at);
    expect([foreign.inFlight(50_000), foreign.pending(50_000, 0)]).toEqual([10, FULL_ENGINE_TOKENS]);
    expect([foreign.inFlight(50_001), foreign.pending(50_001, 0)]).toEqual([0, 0]);
    foreign.heed(null, 0, 21_000);
    expect([foreign.inFlight(21_000), foreign.pending(21_000, 0)]).toEqual([0, 0]);
  });
});

describe('LoadedAdapters', () => {
  it('holds those that were used last', () => {
    const adapters = new LoadedAdapters(2);
    for (const name of ['a', 'b', 'a', 'c']) adapters.use(name);
    expect(['a', 'b', 'c'].map((name) => adapters.has(name))).toEqual([true, false, true]);
    adapters.clear();
    expect(adapters.has('a')).toBe(false);
  });

  it('costs half a second of prefill', () => {
    expect(loadingTokens(10_000)).toBe(5_000);
  });
});

describe('TokenHabits', () => {
  const prompt = promptOf(Array.from({ length: 100 }, (_, index) => index)).blocks();

  it('begins at four bytes a token and 200 tokens an answer', () => {
    const habits = new TokenHabits();
    expect(habits.bytesPerToken).toBe(4);
    expect(habits.output).toBe(200);
    expect(habits.tokensIn(1_000, 'bytes')).toBe(250);
    expect(habits.tokensIn(1_000, 'tokens')).toBe(1_000);
  });

  it('learns both, the answer of relayed pieces where the engine reports no usage', () => {
    const habits = new TokenHabits();
    for (let index = 0; index < 1_500; index++) habits.heed(prompt, usage(8_533, 50), 0);
    expect(habits.bytesPerToken).toBeCloseTo(3, 1);
    expect(habits.output).toBeCloseTo(50, 0);
    for (let index = 0; index < 1_500; index++) habits.heed(prompt, null, 900);
    expect(habits.output).toBeCloseTo(900, 0);
    expect(habits.bytesPerToken).toBeCloseTo(3, 1);
  });

  it('does not take pictures for text', () => {
    const habits = new TokenHabits();
    for (let index = 0; index < 200; index++) habits.heed(prompt, usage(6_400, 50), 0);
    for (let index = 0; index < 200; index++) habits.heed(prompt, usage(64_000, 50), 0);
    expect(habits.bytesPerToken).toBeCloseTo(4, 6);
  });
});
