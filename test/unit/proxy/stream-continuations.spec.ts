import type { SettingsStore } from '../../../src/config/settings-store.js';
import type { RequestFacts } from '../../../src/core/request-facts.js';
import type { RouterMetrics } from '../../../src/metrics/router-metrics.js';
import type { BodyMemory } from '../../../src/proxy/body-memory.js';
import type { ClientAnswer } from '../../../src/proxy/client-answer.js';
import type { FailureLog } from '../../../src/proxy/failure-log.js';
import { RequestBody } from '../../../src/proxy/request-body.js';
import { StreamContinuations } from '../../../src/proxy/stream-continuations.service.js';

const body = (length: number): RequestBody => {
  const made = new RequestBody(null, null);
  made.add(Buffer.alloc(length));
  return made;
};

function begins(streamFailover: string, facts: Partial<RequestFacts>, length = 10): boolean {
  const settings = { current: { streamFailover } } as SettingsStore;
  const all = new StreamContinuations(settings, {} as BodyMemory, {} as RouterMetrics, {} as FailureLog);
  const owner = { triesAnother: () => false, attempt: null };
  const given = { shape: 'chat', stream: true, ...facts } as RequestFacts;
  return all.begin(given, body(length), {} as ClientAnswer, owner) !== null;
}

describe('StreamContinuations', () => {
  it('keeps nothing unless streams are to be continued', () => {
    expect(begins('error', {})).toBe(false);
    expect(begins('continue', {})).toBe(true);
    expect(begins('continue', { shape: 'completions' })).toBe(true);
  });

  it.each<[string, Partial<RequestFacts>, number]>([
    ['an answer that is no stream', { stream: false }, 10],
    ['responses', { shape: 'responses' }, 10],
    ['messages', { shape: 'messages' }, 10],
    ['another path', { shape: 'other' }, 10],
    ['a body of more than a MiB', {}, 1024 * 1024 + 1],
  ])('keeps nothing for %s', (_name, facts, length) => {
    expect(begins('continue', facts, length)).toBe(false);
  });
});
