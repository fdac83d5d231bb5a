import { EngineModel } from '../../../../src/simulator/model/engine-model.js';
import { PROFILES } from '../../../../src/simulator/model/engine-profile.js';
import { drive, prompt, spec } from './driver.js';

describe('an engine model', () => {
  it('computes a prompt, gives its tokens one a step, and ends with length', () => {
    const model = new EngineModel(PROFILES.instant);
    const sequence = model.submit(spec({ promptTokens: prompt(40), maxTokens: 3 }), 0);
    const events = drive(model);
    expect(events.map(({ what, index, reason }) => [what, index ?? reason])).toEqual([
      ['token', 0],
      ['token', 1],
      ['token', 2],
      ['finished', 'length'],
    ]);
    expect(sequence).toMatchObject({ state: 'finished', generated: 3, finishReason: 'length' });
    expect(model).toMatchObject({ running: 0, waiting: 0, kvUsage: 0 });
    expect(model.counters).toMatchObject({ promptTokens: 40, generationTokens: 3, steps: 3 });
    expect(model.beginStep(9)).toBeNull();
  });

  it('stops by itself, computes prompts without an answer, and ends what it is told to', () => {
    const model = new EngineModel(PROFILES.instant);
    const stops = model.submit(spec({ maxTokens: 5, stopAfter: 2 }), 0);
    const computed = model.submit(spec({ maxTokens: 0 }), 0);
    const paused = model.submit(spec({ maxTokens: 1000 }), 0);
    const left = model.submit(spec({ maxTokens: 1000 }), 0);
    drive(model, 0, 3);
    if (paused !== 'queue_full') model.end(paused, 'abort');
    if (left !== 'queue_full') model.abort(left);
    expect(stops).toMatchObject({ finishReason: 'stop', generated: 2 });
    expect(computed).toMatchObject({ finishReason: 'stop', generated: 0, firstTokenAt: null });
    expect(model.counters.finished).toEqual({ stop: 2, length: 0, abort: 1, error: 0 });
    expect(model).toMatchObject({ running: 0, kvUsage: 0 });
  });

  it('counts those that wait and run against one cap, and prompts before their first token against the other', () => {
    const model = new EngineModel({ ...PROFILES.instant, maxSequences: 2 }, { maxQueuedRequests: 3 });
    const taken = Array.from({ length: 4 }, () => model.submit(spec(), 0));
    expect(taken.map((one) => one === 'queue_full')).toEqual([false, false, false, true]);
    const byTokens = new EngineModel(PROFILES.instant, { maxQueuedTokens: 30 });
    const long = spec({ promptTokens: prompt(40), maxTokens: 2 });
    expect(byTokens.submit(long, 0)).not.toBe('queue_full');
    expect(byTokens.submit(long, 0)).toBe('queue_full');
    drive(byTokens, 0, 1);
    expect(byTokens.submit(long, 0)).not.toBe('queue_full');
    expect([model.counters.rejectedByRequests, byTokens.counters.rejectedByTokens]).toEqual([1, 1]);
  });

  it('lets the lower priority value go first when it schedules by priority', () => {
    const profile = { ...PROFILES.instant, maxSequences: 1 };
    const order = (priorityScheduling: boolean): (number | undefined)[] => {
      const model = new EngineModel(profile, { priorityScheduling });
      for (const priority of [2, 0, 1]) model.submit(spec({ priority, maxTokens: 1 }), 0);
      return drive(model)
        .filter(({ what }) => what === 'finished')
        .map(({ sequence }) => sequence.spec.priority);
    };
    expect(order(false)).toEqual([2, 0, 1]);
    expect(order(true)).toEqual([0, 1, 2]);
  });

  it('forgets its prefix cache only while nothing runs', () => {
    const model = new EngineModel(PROFILES.instant);
    const hits = (): number => {
      const sequence = model.submit(spec({ promptTokens: prompt(40), maxTokens: 2 }), 0);
      drive(model, 0, 1);
      const reset = model.resetPrefixCache();
      drive(model);
      expect(reset).toBe(false);
      return sequence === 'queue_full' ? -1 : sequence.cachedTokens;
    };
    expect([hits(), hits()]).toEqual([0, 32]);
    expect(model.resetPrefixCache()).toBe(true);
    expect(hits()).toBe(0);
  });

  it('refuses what it could never compute', () => {
    const model = new EngineModel({ ...PROFILES.instant, blocks: 3, maxLoras: 0 });
    expect(() => model.submit(spec({ promptTokens: prompt(0) }), 0)).toThrow('a prompt of 0 tokens');
    expect(() => model.submit(spec({ promptTokens: prompt(33) }), 0)).toThrow('not from 1 to 32');
    expect(() => model.submit(spec({ adapter: 'a' }), 0)).toThrow('no LoRA slots');
    expect(() => new EngineModel({ ...PROFILES.instant, blocks: 1 })).toThrow('blocks is 1');
    expect(() => model.endStep(0, { token: () => {}, finished: () => {} })).toThrow('no step is under way');
  });
});
