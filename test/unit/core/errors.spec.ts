import { ERROR_CODES } from '../../../src/core/error-code.js';
import * as errors from '../../../src/core/errors.js';
import { parseFrame } from '../../../src/core/sse-frames.js';
import { errorBody, errorFrame, RouterError } from '../../../src/core/errors.js';

const all: readonly (readonly [RouterError, number, string, number | null, boolean])[] = [
  [errors.invalidJson('x'), 400, 'invalid_json', null, false],
  [errors.notAnObject(), 400, 'invalid_request', null, false],
  [errors.modelRequired(), 400, 'model_required', null, false],
  [errors.modelNotString(), 400, 'invalid_request', null, false],
  [errors.badFraming('x'), 400, 'invalid_request', null, true],
  [errors.bodyTooLarge(5), 413, 'request_too_large', null, true],
  [errors.bodyTooSlow(5), 408, 'request_timeout', null, true],
  [errors.modelNotFound('m', []), 404, 'model_not_found', null, false],
  [errors.routeNotFound(), 404, 'route_not_found', null, false],
  [errors.notSynced(), 503, 'not_synced', 1, false],
  [errors.noEngineReady('m'), 503, 'no_engine_ready', 5, false],
  [errors.bodyMemoryFull(), 503, 'overloaded', 1, true],
  [errors.enginesFull('m'), 503, 'overloaded', 1, false],
  [errors.shuttingDown(), 503, 'shutting_down', 1, true],
  [errors.engineUnreachable('x'), 502, 'engine_unreachable', null, false],
  [errors.engineTimeout('x'), 504, 'engine_timeout', null, false],
  [errors.brokenOff('reset', false), 502, 'stream_interrupted', null, false],
  [errors.brokenOff('idle_timeout', true), 504, 'engine_timeout', null, false],
  [errors.brokenOff('shutdown', false), 503, 'shutting_down', null, false],
  [errors.internalError(), 500, 'internal_error', null, false],
];

describe('an error of the router', () => {
  it.each(all)('%s has its status and code', (error, status, code, retryAfter, closes) => {
    expect([error.status, error.code, error.retryAfter, error.closeConnection]).toEqual([
      status,
      code,
      retryAfter,
      closes,
    ]);
    expect(ERROR_CODES[error.code].statuses).toContain(status);
    const openAi = JSON.parse(errorBody(error, 'chat', 'id')) as { error: object };
    expect(Object.keys(openAi.error)).toEqual(['message', 'type', 'param', 'code']);
    const anthropic = JSON.parse(errorBody(error, 'messages', 'id')) as {
      type: string;
      error: { type: string };
      request_id: string;
    };
    expect([anthropic.type, anthropic.request_id]).toEqual(['error', 'id']);
    expect(anthropic.error.type).toMatch(
      /^(invalid_request_error|not_found_error|request_too_large|overloaded_error|timeout_error|api_error)$/,
    );
  });

  it('repeats what the framework says as one sentence', () => {
    const sentence = 'Invalid request: no such method.';
    expect(errors.refusedByFramework('no such method').message).toBe(sentence);
    expect(errors.refusedByFramework('no such method.').message).toBe(sentence);
  });

  it.each(['chat', 'completions', 'responses', 'messages', 'other'] as const)(
    'is one frame of a stream of %s',
    (shape) => {
      for (const [error] of all) {
        const text = errorFrame(error, shape, 'id-1');
        expect(text.match(/\n\n/g)).toHaveLength(1);
        const { event, data } = parseFrame(text);
        expect(event).toBe(shape === 'messages' || shape === 'responses' ? 'error' : null);
        expect(JSON.parse(data!)).toMatchObject(
          shape === 'messages'
            ? { type: 'error' }
            : shape === 'responses'
              ? { type: 'error', code: error.code }
              : { error: { code: error.code } },
        );
        expect(data).toContain('id-1');
      }
    },
  );

  it('names at most twenty models, and quotes at most 200 characters', () => {
    const known = Array.from({ length: 25 }, (_, i) => `m${i}`);
    expect(errors.modelNotFound('x', known).message).toBe(
      `Model 'x' not found. Models that exist: ${known.slice(0, 20).join(', ')} and 5 more.`,
    );
    expect(errors.modelNotFound('x', ['a']).message).toBe("Model 'x' not found. Models that exist: a.");
    expect(errors.modelNotFound('x'.repeat(300), []).message).toBe(
      `Model '${'x'.repeat(200)}…' not found. No model is served.`,
    );
  });
});
