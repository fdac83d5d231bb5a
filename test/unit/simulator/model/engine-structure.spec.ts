import { EngineModel } from '../../../../src/simulator/model/engine-model.js';
import { type EngineProfile, PROFILES } from '../../../../src/simulator/model/engine-profile.js';
import type { EngineStructure } from '../../../../src/simulator/model/engine-structure.js';
import type { Sequence } from '../../../../src/simulator/model/sequence.js';
import { drive, prompt, spec } from './driver.js';

/** Blocks of four tokens; one of `blocks` is reserved. */
const profile = (usable: number): EngineProfile => ({
  ...PROFILES.instant,
  stepSeconds: 1,
  prefillSecondsPerToken: 0.1,
  decodeSecondsPerSequence: 0.25,
  blockSize: 4,
  blocks: usable + 1,
});

const engine = (usable: number, structure: EngineStructure): EngineModel =>
  new EngineModel(profile(usable), { structure });

/** Prompts with the same `first` begin alike. */
const submit = (model: EngineModel, length: number, maxTokens: number, first: number): Sequence =>
  model.submit(spec({ promptTokens: prompt(length, first), maxTokens }), 0) as Sequence;

describe('the structure of an engine', () => {
  it.each([
    [true, 3, 1],
    [false, 2, 0],
  ])('preempts: %s', (preempts, atFirst, preemptions) => {
    const model = engine(4, { preempts });
    // Two blocks each in the end, of which the prompt takes one.
    const all = [1000, 2000, 3000].map((first) => submit(model, 4, 5, first));
    drive(model, 0, 1);
    expect(model.running).toBe(atFirst);
    drive(model);
    expect(all.map(({ generated }) => generated)).toEqual([5, 5, 5]);
    expect(model.counters.preemptions).toBe(preemptions);
    expect(model.pool.free).toBe(4);
  });

  it('without preemption counts what is cached and in use as there, and lets no later one pass', () => {
    const model = engine(4, { preempts: false });
    const one = submit(model, 9, 4, 1000);
    drive(model, 0, 1);
    // Three blocks, of which it shares two; the other one would have found room for its single block.
    const same = submit(model, 9, 4, 1000);
    submit(model, 4, 1, 2000);
    drive(model, 0, 1);
    expect([same.state, same.cachedTokens, model.waiting]).toEqual(['running', 8, 1]);
    expect([one.state, model.pool.free]).toEqual(['running', 0]);
  });

  it.each([
    [true, 1],
    [false, 0],
  ])('keeps the blocks of a preempted sequence: %s', (keepsPreempted, found) => {
    const model = engine(4, { keepsPreempted });
    submit(model, 8, 3, 1000);
    const victim = submit(model, 8, 3, 2000);
    drive(model, 0, 1);
    expect(model.pool.longestChain(victim.names, 2)).toBe(2);
    model.beginStep(2);
    expect([victim.state, model.counters.preemptions]).toEqual(['waiting', 1]);
    // The other one took its leaf.
    expect(model.pool.longestChain(victim.names, 2)).toBe(found);
  });

  it.each([
    ['leaf', 1],
    ['root', 0],
  ] as const)('evicts from the %s', (evicts, found) => {
    const model = engine(3, { evicts });
    const gone = submit(model, 8, 1, 1000);
    drive(model);
    expect(model.pool.longestChain(gone.names, 2)).toBe(2);
    submit(model, 8, 1, 2000);
    drive(model);
    expect(model.pool.longestChain(gone.names, 2)).toBe(found);
  });

  it.each([
    ['sum', 1.65],
    ['longest', 1.4],
  ] as const)('a step takes the %s of prefill and decodes', (stepTime, seconds) => {
    const model = engine(9, { stepTime });
    submit(model, 4, 5, 1000);
    expect(model.beginStep(0)?.seconds).toBeCloseTo(1.4, 12);
    model.endStep(1.4, { token: () => {}, finished: () => {} });
    submit(model, 4, 5, 2000);
    expect(model.beginStep(1.4)?.seconds).toBeCloseTo(seconds, 12);
  });

  it.each([
    ['planned', 8],
    ['computed', 0],
  ] as const)('blocks can be found when they are %s', (caches, inTheSameStep) => {
    const model = engine(20, { caches });
    submit(model, 9, 2, 1000);
    const beside = submit(model, 9, 2, 1000);
    drive(model, 0, 1);
    const later = submit(model, 9, 2, 1000);
    drive(model);
    expect([beside.cachedTokens, later.cachedTokens]).toEqual([inTheSameStep, 8]);
  });

  it('is that of vLLM by default', () => {
    const defaults: EngineStructure = {
      ...{ preempts: true, keepsPreempted: true, evicts: 'leaf', stepTime: 'sum', caches: 'planned' },
    };
    const timesOf = (model: EngineModel): number[] => {
      for (const first of [0, 0, 1000, 2000]) submit(model, 8, 9, first);
      return drive(model).map(({ at }) => at);
    };
    expect(timesOf(engine(7, defaults))).toEqual(timesOf(new EngineModel(profile(7))));
  });
});
