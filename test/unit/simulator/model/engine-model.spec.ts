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
});
