import * as fc from 'fast-check';
import { isRetryableStatus, judgeAnswer, judgeFrame, type Verdict } from '../../../src/core/commit.js';
import type { ApiShape } from '../../../src/core/request-facts.js';

const words = (verdict: Verdict): string => (verdict.kind === 'fail' ? verdict.cause : verdict.kind);
const frame = (data: unknown, shape: ApiShape = 'chat', event?: string): string =>
  words(
    judgeFrame(
      `${event === undefined ? '' : `event: ${event}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`,
      shape,
    ),
  );
const choice = (fields: object): string => frame({ choices: [{ index: 0, finish_reason: null, ...fields }] });
const DRAINING = 'cannot schedule new futures after shutdown';
const BUSY =
  'The engine is currently busy and cannot accept new requests. Please try again later or on a different instance.';
const DEAD = 'EngineCore encountered an issue. See stack trace (above) for the root cause.';

describe('a frame of a stream', () => {
  it.each([
    ['a comment', ': keep-alive', 'wait'],
    ['nothing', '', 'wait'],
    ['the end', 'data: [DONE]', 'empty_stream'],
    ['the end, padded', 'data:  [DONE] ', 'empty_stream'],
    ['what is no JSON', 'data: {', 'commit'],
    ['a number', 'data: 1', 'commit'],
    ['a list', 'data: []', 'commit'],
  ])('that holds %s', (_name, text, expected) => {
    expect(words(judgeFrame(text, 'chat'))).toBe(expected);
  });

  it.each<[string, object, string]>([
    ['a role alone', { delta: { role: 'assistant', content: '' } }, 'wait'],
    ['a role and nothing else', { delta: { role: 'assistant' } }, 'wait'],
    ['nothing', { delta: {} }, 'wait'],
    [
      'nothings of many kinds',
      { delta: { content: null, reasoning: '', tool_calls: [], refusal: null } },
      'wait',
    ],
    ['no text', { text: '' }, 'wait'],
    ['content', { delta: { content: 'a' } }, 'commit'],
    ['white space', { delta: { content: ' ' } }, 'commit'],
    ['reasoning', { delta: { reasoning: 'hm' } }, 'commit'],
    ['a tool call', { delta: { tool_calls: [{ index: 0 }] } }, 'commit'],
    ['text', { text: 'a' }, 'commit'],
    ['an end without tokens', { delta: {}, finish_reason: 'stop' }, 'commit'],
    ['an abort without tokens', { delta: { content: '' }, finish_reason: 'abort' }, 'abort'],
    ['an abort of text', { text: '', finish_reason: 'abort' }, 'abort'],
    ['an abort with a token', { delta: { content: 'a' }, finish_reason: 'abort' }, 'commit'],
  ])('with a choice that holds %s', (_name, fields, expected) => {
    expect(choice(fields)).toBe(expected);
  });

  it('with several choices commits by any of them, and waits without one', () => {
    expect(frame({ choices: [{ delta: {} }, { delta: { content: 'a' } }] })).toBe('commit');
    expect(frame({ choices: [{ delta: {} }, { delta: {} }] })).toBe('wait');
    expect(frame({ choices: [], usage: { prompt_tokens: 1 } })).toBe('wait');
    expect(frame({ choices: 'odd' })).toBe('commit');
    expect(frame({ choices: [null] })).toBe('commit');
  });

  it.each<[string, unknown, string]>([
    ['of the engine', { message: 'x', type: 'InternalServerError', code: 500 }, 'error_event'],
    ['of a draining engine', { message: DRAINING, code: 500 }, 'draining'],
    ['of a dead core', { message: DEAD, code: 500 }, 'engine_dead'],
    ['without a message', {}, 'error_event'],
    ['that is a text', 'overloaded', 'error_event'],
    ['that blames the request by its code', { message: 'x', code: 404 }, 'commit'],
    ['that blames the request by its type', { message: 'x', type: 'BadRequestError' }, 'commit'],
    [
      'that blames the request with a code in words',
      { type: 'invalid_request_error', code: 'model_not_found' },
      'commit',
    ],
  ])('with an error %s', (_name, error, expected) => {
    expect(frame({ error })).toBe(expected);
    expect(frame({ type: 'error', error }, 'messages', 'error')).toBe(expected);
  });

  it('with a null error is like any other', () => {
    expect(frame({ error: null, choices: [{ delta: { content: 'a' } }] })).toBe('commit');
  });

  it.each<[ApiShape, string, string]>([
    ['responses', 'response.created', 'wait'],
    ['responses', 'response.queued', 'wait'],
    ['responses', 'response.in_progress', 'wait'],
    ['responses', 'response.output_item.added', 'commit'],
    ['responses', 'response.output_text.delta', 'commit'],
    ['responses', 'response.completed', 'commit'],
    ['messages', 'message_start', 'wait'],
    ['messages', 'ping', 'wait'],
    ['messages', 'content_block_start', 'commit'],
    ['messages', 'message_stop', 'commit'],
    ['chat', 'response.created', 'commit'],
  ])('of %s with event %s', (shape, type, expected) => {
    expect(frame({ type }, shape, type)).toBe(expected);
    if (shape !== 'chat') expect(frame({}, shape, type)).toBe(expected);
  });

  it('of responses that failed tells why', () => {
    const failed = (error: unknown): string =>
      frame({ type: 'response.failed', response: { error } }, 'responses');
    expect(failed({ code: 'server_error', message: DEAD })).toBe('engine_dead');
    expect(failed(null)).toBe('error_event');
    expect(frame({ type: 'response.failed' }, 'responses')).toBe('error_event');
    expect(frame({ type: 'error', message: 'x', code: 400 }, 'responses')).toBe('commit');
  });

  it('never throws, whatever it holds', () => {
    const shapes = fc.constantFrom<ApiShape>('chat', 'completions', 'responses', 'messages', 'other');
    fc.assert(fc.property(fc.string(), shapes, (text, shape) => void judgeFrame(text, shape)));
    fc.assert(fc.property(fc.json(), shapes, (json, shape) => void judgeFrame(`data: ${json}`, shape)));
    const odd = fc.record(
      { choices: fc.jsonValue(), error: fc.jsonValue(), type: fc.jsonValue(), response: fc.jsonValue() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(odd, shapes, (value, shape) => void judgeFrame(`data: ${JSON.stringify(value)}`, shape)),
    );
  });
});

describe('a whole answer', () => {
  const answer = (status: number, body: unknown): string =>
    words(judgeAnswer(status, Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))));

  it('of an engine that cannot serve is a failure', () => {
    for (const status of [500, 502, 503, 504]) expect(isRetryableStatus(status)).toBe(true);
    for (const status of [200, 400, 401, 404, 408, 413, 422, 429, 501, 505])
      expect(isRetryableStatus(status)).toBe(false);
    expect(answer(500, { error: { message: DRAINING } })).toBe('draining');
    expect(answer(500, { message: DEAD, object: 'error' })).toBe('engine_dead');
    expect(answer(500, 'Internal Server Error')).toBe('http_5xx');
    expect(answer(503, { error: { message: BUSY, type: 'Service Unavailable', code: 503 } })).toBe('busy');
    expect(answer(503, { error: 'The model is currently scaling. Please try again later.' })).toBe('busy');
    expect(answer(503, 'no healthy upstream')).toBe('http_5xx');
    expect(answer(502, '<html>')).toBe('http_5xx');
  });

  it('that was aborted is a failure, and a text about aborting is not', () => {
    expect(answer(200, { choices: [{ text: 'part', finish_reason: 'abort' }] })).toBe('abort');
    expect(answer(200, { choices: [{ finish_reason: 'stop' }, { finish_reason: 'abort' }] })).toBe('abort');
    expect(answer(200, { choices: [{ text: 'say "abort"', finish_reason: 'stop' }] })).toBe('commit');
    expect(answer(200, { reason: 'abort' })).toBe('commit');
    expect(answer(200, '{"abort"')).toBe('commit');
    expect(answer(200, 'null "abort"')).toBe('commit');
    expect(answer(200, '["abort"]')).toBe('commit');
    expect(answer(400, { choices: [{ finish_reason: 'abort' }] })).toBe('commit');
  });
});
