import { KeptAnswers } from '../../../src/proxy/kept-answer.js';

const frame = (content: string): Buffer =>
  Buffer.from(`data: {"choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}}}]}\n\n`);
const whole = (content: string): Buffer =>
  Buffer.from(
    `{"choices":[{"index":0,"message":{"role":"assistant","content":${JSON.stringify(content)}}}]}`,
  );
const MIB = 1024 * 1024;

describe('an answer that is kept', () => {
  it('is the text that was generated, once', () => {
    const kept = new KeptAnswers();
    const answer = kept.begin();
    for (const part of ['one ', 'two']) answer.add(frame(part));
    expect(kept.held).toBeGreaterThan(0);
    expect(answer.text('chat', true, 'done')).toBe('one two');
    expect(answer.text('chat', true, 'done')).toBeNull();
    expect(kept.held).toBe(0);
  });

  it('is what the client got of a stream that it stopped, and nothing of any other end', () => {
    const kept = new KeptAnswers();
    const textOf = (bytes: Buffer, streams: boolean, outcome: 'done' | 'client_left' | 'failed') => {
      const answer = kept.begin();
      answer.add(bytes);
      return answer.text('chat', streams, outcome);
    };
    expect(textOf(frame('part'), true, 'client_left')).toBe('part');
    expect(textOf(frame('part'), true, 'failed')).toBeNull();
    expect(textOf(whole('all'), false, 'done')).toBe('all');
    expect(textOf(whole('all'), false, 'client_left')).toBeNull();
    expect(kept.held).toBe(0);
  });

  it('is bounded: the beginning of a long stream, nothing of another long answer', () => {
    const kept = new KeptAnswers();
    const [stream, other] = [kept.begin(), kept.begin()];
    for (let n = 0; n < 100_000; n++) stream.add(frame(`${n} `));
    for (let n = 0; n < 100; n++) other.add(Buffer.alloc(10_000, 'a'));
    expect(kept.held).toBeLessThanOrEqual(MIB / 2);
    expect(stream.text('chat', true, 'done')).toMatch(/^0 1 2 3 .* $/);
    expect(other.text('chat', false, 'done')).toBeNull();
    expect(kept.held).toBe(0);
  });

  it('is bounded over all answers together', () => {
    const kept = new KeptAnswers();
    const answers = Array.from({ length: 1_000 }, () => kept.begin());
    for (const answer of answers) answer.add(Buffer.alloc(200_000));
    expect(kept.held).toBeLessThanOrEqual(64 * MIB);
    for (const answer of answers) answer.text('chat', true, 'failed');
    expect(kept.held).toBe(0);
  });
});
