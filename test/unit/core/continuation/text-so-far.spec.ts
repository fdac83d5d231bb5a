import fc from 'fast-check';
import { framedChunk } from '../../../../src/core/chunk-framing.js';
import { ContinuationMemory, TextSoFar } from '../../../../src/core/continuation/text-so-far.js';
import { chatRole, chatText, completionText, DONE, usageFrame, usageOf } from './frames.js';

const MEMORY = 64 * 1024 * 1024;

function kept(frames: readonly string[], shape: 'chat' | 'completions' = 'chat', memory = MEMORY) {
  const all = new ContinuationMemory(memory);
  const text = new TextSoFar(shape, all);
  for (const frame of frames) text.add(Buffer.from(frame), false);
  return { all, text };
}

describe('TextSoFar', () => {
  it('knows text, pieces, usage and the end of what was sent', () => {
    const { text } = kept([chatRole(), chatText(' a'), ': keep-alive\n\n', chatText(''), chatText(' é')]);
    expect(text.sent()).toMatchObject({
      text: ' a é',
      ends: [2, 2, 4],
      older: 0,
      usage: null,
      finish: null,
      usageTold: false,
      done: false,
      identity: { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'tiny' },
    });
    text.add(Buffer.from(chatText(' b', 'length', { usage: usageOf(7, 4) })), false);
    expect(text.sent()).toMatchObject({
      text: ' a é b',
      usage: { prompt: 7, completion: 4 },
      usageTold: false,
      finish: 'length',
    });
    text.add(Buffer.from(usageFrame(7, 4) + DONE), false);
    expect(text.sent()).toMatchObject({ usageTold: true, done: true, finish: 'length' });
  });

  it('takes a piece of several words for as many tokens', () => {
    const { text } = kept([chatText(' ab cd  ef\n'), chatText('g'), chatText(' \n h')]);
    expect(text.sent()?.ends).toEqual([3, 6, 11, 12, 16]);
  });

  it('reads completions', () => {
    const { text } = kept([completionText('x'), completionText('y', 'stop')], 'completions');
    expect(text.sent()).toMatchObject({ text: 'xy', ends: [1, 2], finish: 'stop' });
  });

  it('reads pieces in chunk framing, several chunks in one and frames cut by them', () => {
    const all = new ContinuationMemory();
    const text = new TextSoFar('chat', all);
    const [one, two] = [Buffer.from(chatText(' a')), Buffer.from(chatText(' b'))];
    text.add(Buffer.concat([framedChunk(one, false), framedChunk(two, false)]), true);
    text.add(
      Buffer.concat([framedChunk(one.subarray(0, 9), false), framedChunk(one.subarray(9), false)]),
      true,
    );
    text.add(two, false);
    expect(text.sent()?.text).toBe(' a b a b');
  });

  it.each<[string, string]>([
    ['a call of a tool', `data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0}]}}]}\n\n`],
    ['reasoning', `data: {"choices":[{"index":0,"delta":{"reasoning":"hm"}}]}\n\n`],
    ['reasoning by its old name', `data: {"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}\n\n`],
    [
      'log probabilities',
      `data: {"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[]}}]}\n\n`,
    ],
    ['token ids', `data: {"choices":[{"index":0,"delta":{"content":"a"},"token_ids":[3]}]}\n\n`],
    ['a second choice', `data: {"choices":[{"index":1,"delta":{"content":"a"}}]}\n\n`],
    ['two choices', `data: {"choices":[{"index":0,"delta":{}},{"index":1,"delta":{}}]}\n\n`],
    ['text that is none', `data: {"choices":[{"index":0,"delta":{"content":["a"]}}]}\n\n`],
    ['a message in place of a delta', `data: {"choices":[{"index":0,"message":{"content":"a"}}]}\n\n`],
    ['an error', `data: {"error": {"message": "x"}}\n\n`],
    ['a named event', `event: x\ndata: {"choices":[]}\n\n`],
    ['no JSON', 'data: {\n\n'],
    ['no object', 'data: 7\n\n'],
    ['an unfinished frame', 'data: {"choices":[]}'],
  ])('gives up %s', (_name, frame) => {
    const { text, all } = kept([chatText('a'), frame]);
    expect(text.sent()).toBeNull();
    expect(text.lost).toBe(true);
    expect(all.held).toBe(0);
  });

  it('reads what has become much, and goes on', () => {
    const { text, all } = kept([chatRole()]);
    const words = 5_000;
    let most = 0;
    for (let i = 0; i < words; i++) {
      text.add(Buffer.from(chatText(` w${i % 10}`)), false);
      most = Math.max(most, all.held);
    }
    expect(most).toBeLessThan(200 * 1024);
    const sent = text.sent()!;
    expect(sent.text).toHaveLength(words * 3);
    expect(sent.older + sent.ends.length).toBe(words);
    expect(sent.ends.length).toBeLessThanOrEqual(512);
    expect(sent.ends.at(-1)).toBe(words * 3);
    text.release();
    expect(all.held).toBe(0);
  });

  it('gives up a text of more than a MiB', () => {
    const { text, all } = kept([]);
    for (let i = 0; i < 12; i++) text.add(Buffer.from(chatText('x'.repeat(100 * 1024))), false);
    expect(text.lost).toBe(true);
    expect(text.sent()).toBeNull();
    expect(all.held).toBe(0);
  });

  it('shares one bound with the others: what is over it is read, and given up when that is not enough', () => {
    const all = new ContinuationMemory(40_000);
    const first = new TextSoFar('chat', all);
    const second = new TextSoFar('chat', all);
    for (let i = 0; i < 100; i++) {
      first.add(Buffer.from(chatText(' w')), false);
      second.add(Buffer.from(chatText(' w')), false);
      expect(all.held).toBeLessThanOrEqual(40_000);
    }
    expect(first.sent()?.text).toHaveLength(200);
    expect(second.sent()?.text).toHaveLength(200);
    first.add(Buffer.from(chatText('x'.repeat(30_000))), false);
    expect(first.lost).toBe(true);
    expect(second.lost).toBe(false);
    first.release();
    second.release();
    expect(all.held).toBe(0);
  });

  it('reads the same however the frames came together', () => {
    const words = fc.string({
      unit: fc.constantFrom('a', ' ', '\n', '"', '\\', 'é', '😀', '\r'),
      maxLength: 4,
    });
    const pieces = fc.array(words, { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(pieces, fc.array(fc.boolean()), fc.array(fc.boolean()), (texts, joins, framings) => {
        const all = new ContinuationMemory();
        const text = new TextSoFar('chat', all);
        let waiting = '';
        texts.forEach((piece, i) => {
          waiting += chatText(piece);
          if (joins[i]) return;
          const bytes = Buffer.from(waiting);
          text.add(framings[i] ? framedChunk(bytes, false) : bytes, framings[i] === true);
          waiting = '';
        });
        if (waiting !== '') text.add(Buffer.from(waiting), false);
        expect(text.sent()?.text).toBe(texts.join(''));
        const { ends } = text.sent()!;
        expect(ends.at(-1)).toBe(texts.join('').length);
        expect(ends.length).toBeGreaterThanOrEqual(texts.length);
        expect(ends).toEqual(ends.toSorted((a, b) => a - b));
      }),
    );
  });
});
