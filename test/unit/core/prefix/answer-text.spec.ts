import fc from 'fast-check';
import { answerText } from '../../../../src/core/prefix/answer-text.js';
import type { ApiShape } from '../../../../src/core/request-facts.js';
import { readProjectFile } from '../../../support/project-files.js';

/** The body of an answer that a vLLM 0.32 has given. */
const recorded = (name: string): Buffer => {
  const [, answer = ''] = readProjectFile(`test/fixtures/vllm-0.32/${name}.txt`).split('### answer\n');
  return Buffer.from(answer.slice(answer.indexOf('\n\n') + 2));
};

const frames = (...data: readonly unknown[]): Buffer =>
  Buffer.from(data.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('') + 'data: [DONE]\n\n');
const piece = (delta: unknown): unknown => ({ choices: [{ index: 0, delta, logprobs: null }] });

describe('the text of an answer', () => {
  it.each<[string, ApiShape, string | null]>([
    ['chat', 'chat', ' w129 w25 w129 w25'],
    ['chat-stream-usage', 'chat', ' w129 w25 w129 w25'],
    ['completion', 'completions', ' w68 ni w68 ni'],
    ['completion-stream-usage', 'completions', ' w68 ni w68 ni'],
    ['messages', 'messages', ' w129 w25 w129 w25'],
    ['messages-stream', 'messages', ' w129 w25 w129'],
    ['responses', 'responses', ' w129 w25 w129 w25'],
    ['responses-stream', 'responses', ' w129 w25'],
    ['chat-n2', 'chat', null],
    ['chat-stream-n2', 'chat', null],
    ['completion-two-prompts', 'completions', null],
    ['error-messages-wrong-type', 'chat', null],
    ['chat', 'other', null],
  ])('of %s is found in what vLLM sends', (name, shape, wanted) => {
    expect(answerText(recorded(name), shape)).toBe(wanted);
  });

  it('is found beside log probabilities', () => {
    expect(answerText(recorded('chat-logprobs'), 'chat')).toMatch(/^ w/);
  });

  it('is what the pieces say, whatever stands in them', () => {
    const odd = fc.constantFrom('"content":"x"', '\\', '"', '\\"', '"index":1,"delta":', '\n\n', '漢');
    const content = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.array(odd).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(fc.array(content), (pieces) => {
        const text = pieces.join('');
        const wanted = text === '' ? null : text;
        const all = pieces.map((one) => piece({ content: one }));
        expect(answerText(frames(piece({ role: 'assistant', content: '' }), ...all), 'chat')).toBe(wanted);
        const choice = { index: 0, message: { role: 'assistant', content: text } };
        const whole = Buffer.from(JSON.stringify({ choices: [choice] }, null, 1));
        expect(answerText(whole, 'chat')).toBe(wanted);
      }),
    );
  });

  it('leaves reasoning and calls of tools out', () => {
    const call = { index: 0, function: { name: 'f', arguments: '{"content":"inner"}' } };
    const answer = frames(
      piece({ reasoning: 'why' }),
      piece({ content: 'so' }),
      piece({ tool_calls: [call] }),
    );
    expect(answerText(answer, 'chat')).toBe('so');
    expect(answerText(frames(piece({ tool_calls: [call] })), 'chat')).toBeNull();
  });

  it('is null when it is cut, too long, packed or no answer at all', () => {
    expect(answerText(Buffer.from('data: {"choices":[{"delta":{"content":"abc'), 'chat')).toBeNull();
    expect(answerText(frames(piece({ content: 'x'.repeat(65_537) })), 'chat')).toBeNull();
    expect(answerText(frames(piece({ content: 'x'.repeat(65_536) })), 'chat')).toHaveLength(65_536);
    expect(answerText(Buffer.from('data: {"choices":[{"delta":{"content":"\\x"}}]}'), 'chat')).toBeNull();
    expect(answerText(Buffer.from([0x1f, 0x8b, 0x08, 0, 0, 0]), 'chat')).toBeNull();
    expect(answerText(Buffer.alloc(0), 'responses')).toBeNull();
  });

  it('never throws', () => {
    const shape = fc.constantFrom<ApiShape>('chat', 'completions', 'responses', 'messages', 'other');
    const bit = fc.constantFrom(
      '"content":',
      '"text":',
      '"',
      '\\',
      '{',
      'event: response.output_text.done',
      'a',
    );
    fc.assert(
      fc.property(shape, fc.array(bit), (api, bits) => {
        expect(typeof (answerText(Buffer.from(bits.join('')), api) ?? '')).toBe('string');
      }),
    );
  });
});
