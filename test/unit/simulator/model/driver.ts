import type { EngineModel } from '../../../../src/simulator/model/engine-model.js';
import type { FinishReason, Sequence, SequenceSpec } from '../../../../src/simulator/model/sequence.js';

export interface ModelEvent {
  readonly what: 'token' | 'finished';
  readonly sequence: Sequence;
  readonly at: number;
  readonly index?: number;
  readonly reason?: FinishReason;
}

/** Token ids from `first` on, so that prompts of one `first` share their beginning. */
export function prompt(length: number, first = 1000): Int32Array {
  return Int32Array.from({ length }, (_, index) => first + index);
}

export function spec(overrides: Partial<SequenceSpec> = {}): SequenceSpec {
  return { promptTokens: prompt(10), cacheKey: 'm', adapter: null, maxTokens: 4, ...overrides };
}

/** Runs steps until there are none, or `most` of them; what happened, and when. */
export function drive(model: EngineModel, from = 0, most = 100_000): ModelEvent[] {
  const events: ModelEvent[] = [];
  let now = from;
  for (let steps = 0; steps < most; steps++) {
    const step = model.beginStep(now);
    if (!step) break;
    now += step.seconds;
    model.endStep(now, {
      token: (sequence, index) => events.push({ what: 'token', sequence, at: now, index }),
      finished: (sequence, reason) => events.push({ what: 'finished', sequence, at: now, reason }),
    });
  }
  return events;
}
