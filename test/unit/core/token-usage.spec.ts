import * as fc from 'fast-check';
import { tokenUsage } from '../../../src/core/token-usage.js';

const usage = (text: string) => tokenUsage(Buffer.from(text));

describe('the token counts of an answer', () => {
  it.each([
    [
      '{"usage":{"prompt_tokens":7,"total_tokens":11,"completion_tokens":4}}',
      { prompt: 7, completion: 4, cached: null },
    ],
    ['{"usage": {"prompt_tokens": 7, "completion_tokens": 0}}', { prompt: 7, completion: 0, cached: null }],
    [
      '{"usage":{"prompt_tokens":7,"total_tokens":7,"prompt_tokens_details":null}}',
      { prompt: 7, completion: 0, cached: null },
    ],
    [
      '{"usage":{"prompt_tokens":96,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":64,"created_cache_tokens":0}}}',
      { prompt: 96, completion: 1, cached: 64 },
    ],
    [
      '{"usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":0},"output_tokens":3}}',
      { prompt: 5, completion: 3, cached: 0 },
    ],
    [
      '{"usage":{"input_tokens":5,"output_tokens":3,"cache_read_input_tokens":2}}',
      { prompt: 5, completion: 3, cached: 2 },
    ],
    [
      '{"usage":{"prompt_tokens":7,"completion_tokens":1e300,"prompt_tokens_details":{"cached_tokens":1e99}}}',
      { prompt: 7, completion: 0, cached: null },
    ],
    [
      'data: {"usage":null}\n\ndata: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\ndata: [DONE]\n\n',
      { prompt: 1, completion: 2, cached: null },
    ],
  ])('of %s', (text, expected) => {
    expect(usage(text)).toEqual(expected);
  });

  it('are the last ones that were told', () => {
    expect(
      usage(
        '{"usage":{"prompt_tokens":1,"completion_tokens":1}}{"usage":{"prompt_tokens":1,"completion_tokens":9}}',
      )?.completion,
    ).toBe(9);
  });

  it.each([
    '',
    '{}',
    '"usage"',
    '{"usage":null}',
    '{"usage":{}}',
    '{"usage":{"prompt_tokens":"7"}}',
    '{"usage":{"prompt_tokens":-1}}',
    '{"usage":{"prompt_tokens":1.5}}',
    '{"usage":{"prompt_tokens":1e308}}',
    '{"usage":{"prompt_tokens":9007199254740991}}',
    '{"usage":{"prompt_tokens":7',
    '{"usage":{"type":"duration","seconds":1}}',
    '{"text":"{\\"usage\\":{\\"prompt_tokens\\":7}}"}',
    '{"usage":{"prompt_tokens":7,"x":[}}',
    `{"usage":{"pad":"${'x'.repeat(4_000)}","prompt_tokens":7}}`,
  ])('of %s are none', (text) => {
    expect(usage(text)).toBeNull();
  });

  it('never throw, whatever the bytes are', () => {
    const snippet = fc.constantFrom(
      '"usage"',
      ':',
      '{',
      '}',
      '"prompt_tokens":1',
      ',',
      '"',
      '\\',
      ' ',
      '{"prompt_tokens":1,"prompt_tokens_details":1}',
    );
    fc.assert(fc.property(fc.array(snippet), (parts) => void usage(parts.join(''))));
    fc.assert(fc.property(fc.jsonValue(), (value) => void usage(JSON.stringify({ usage: value }))));
  });
});
