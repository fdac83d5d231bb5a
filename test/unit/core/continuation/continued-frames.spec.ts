import fc from 'fast-check';
import { ContinuedFrames, endingOf } from '../../../../src/core/continuation/continued-frames.js';
import type { SentStream } from '../../../../src/core/continuation/text-so-far.js';
import { chatRole, chatText, completionText, DONE, parsed, textOf, usageFrame, usageOf } from './frames.js';

const chunk = { id: 'chatcmpl-mine', object: 'chat.completion.chunk', created: 5, model: 'first' };
const sent: SentStream = {
  text: ' a b',
  ends: [2, 4],
  older: 0,
  usage: null,
  finish: null,
  usageTold: false,
  done: false,
  identity: chunk,
};
const framesFor = (more: { tokens?: number; repeats?: string; usage?: SentStream['usage'] } = {}) =>
  new ContinuedFrames(
    'chat',
    { ...sent, usage: more.usage ?? null },
    { tokens: more.tokens ?? 2, repeats: more.repeats ?? '' },
  );

const take = (frames: ContinuedFrames, text: string): string =>
  frames.take(Buffer.from(text))?.toString() ?? '';

describe('ContinuedFrames', () => {
  it('gives chunks the identity of the stream, and tells no second role', () => {
    const frames = framesFor();
    const other = { id: 'chatcmpl-other', created: 99, model: 'second' };
    expect(take(frames, chatRole(other))).toBe('');
    expect(parsed(take(frames, chatText(' c', null, other)))).toEqual([
      {
        ...chunk,
        choices: [
          { index: 0, delta: { content: ' c' }, logprobs: null, finish_reason: null, token_ids: null },
        ],
      },
    ]);
    expect(parsed(take(frames, chatText(' d', 'length', other) + DONE))).toMatchObject([
      { ...chunk, choices: [{ delta: { content: ' d' }, finish_reason: 'length' }] },
      '[DONE]',
    ]);
  });

  it('takes the role out of a delta that has text as well, and keeps an end without text', () => {
    const frames = framesFor();
    const both = `data: {"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":"c"}}]}\n\n`;
    expect(parsed(take(frames, both))).toEqual([
      {
        id: chunk.id,
        choices: [{ index: 0, delta: { content: 'c' } }],
        object: chunk.object,
        created: 5,
        model: 'first',
      },
    ]);
    const end = `data: {"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"}]}\n\n`;
    expect(parsed(take(frames, end))).toMatchObject([{ choices: [{ finish_reason: 'stop' }] }]);
  });

  it('counts tokens of both engines: the prompt is what it is without the text so far', () => {
    expect(parsed(take(framesFor(), usageFrame(9, 5)))).toEqual([
      { ...chunk, choices: [], usage: usageOf(7, 7) },
    ]);
    const known = framesFor({ usage: { prompt: 8, completion: 2 } });
    expect(parsed(take(known, chatText('c', null, { usage: usageOf(9, 1) })))).toMatchObject([
      { usage: usageOf(8, 3) },
    ]);
  });

  it('counts the same for the router', () => {
    expect(framesFor().whole({ prompt: 9, completion: 5, cached: 8 })).toEqual({
      prompt: 7,
      completion: 7,
      cached: 7,
    });
    expect(framesFor().whole({ prompt: 9, completion: 5, cached: null }).cached).toBeNull();
  });

  it('does not say that more of the prompt was cached than there is', () => {
    const details = {
      ...usageOf(9, 5),
      prompt_tokens_details: { cached_tokens: 8, created_cache_tokens: 0 },
    };
    expect(
      parsed(take(framesFor(), `data: ${JSON.stringify({ choices: [], usage: details })}\n\n`)),
    ).toMatchObject([
      { usage: { prompt_tokens: 7, prompt_tokens_details: { cached_tokens: 7, created_cache_tokens: 0 } } },
    ]);
  });

  it('leaves out the white space that the client has, in as many pieces as it comes', () => {
    const frames = framesFor({ repeats: '\n\n ' });
    expect(take(frames, chatText('\n'))).toBe('');
    expect(take(frames, chatText(''))).toContain('"content":""');
    expect(textOf(take(frames, chatText('\n c') + chatText(' d')))).toBe('c d');
  });

  it('sends on what differs from it', () => {
    expect(textOf(take(framesFor({ repeats: '\n\n' }), chatText('\nc')))).toBe('c');
    expect(textOf(take(framesFor({ repeats: '\n\n' }), chatText(' c')))).toBe(' c');
  });

  it('keeps an end whose text is nothing but a repetition', () => {
    expect(parsed(take(framesFor({ repeats: '\n' }), chatText('\n', 'length')))).toMatchObject([
      { choices: [{ delta: { content: '' }, finish_reason: 'length' }] },
    ]);
  });

  it('passes comments, and what it does not understand', () => {
    const odd = ': keep-alive\n\ndata: {"error": {"message": "x"}}\n\ndata: {\n\n';
    expect(take(framesFor(), odd)).toBe(odd);
    expect(take(framesFor(), 'data: {"cho')).toBe('data: {"cho');
  });

  it('rewrites completions', () => {
    const frames = new ContinuedFrames(
      'completions',
      { ...sent, identity: { id: 'cmpl-mine' } },
      { tokens: 1, repeats: '' },
    );
    expect(parsed(take(frames, completionText(' c', 'stop', { id: 'cmpl-other' })))).toMatchObject([
      { id: 'cmpl-mine', choices: [{ text: ' c', finish_reason: 'stop' }] },
    ]);
  });

  it('makes the same frames wherever the bytes are cut between frames', () => {
    const stream = [
      chatRole(),
      chatText('\n'),
      chatText(' é'),
      ': x\n\n',
      chatText('😀', 'stop'),
      usageFrame(6, 3),
      DONE,
    ];
    const whole = take(framesFor({ repeats: '\n' }), stream.join(''));
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: stream.length, maxLength: stream.length }), (cuts) => {
        const frames = framesFor({ repeats: '\n' });
        let out = '';
        let waiting = '';
        stream.forEach((frame, i) => {
          waiting += frame;
          if (!cuts[i]) return;
          out += take(frames, waiting);
          waiting = '';
        });
        expect(out + take(frames, waiting)).toBe(whole);
      }),
    );
  });
});

describe('endingOf', () => {
  it('has nothing to add to an answer that is not at its end', () => {
    expect(endingOf(sent, false)).toBeNull();
  });

  it('closes an answer that has told how it ended', () => {
    expect(endingOf({ ...sent, finish: 'stop' }, false)).toBe(DONE);
    expect(endingOf({ ...sent, finish: 'stop', usageTold: true }, true)).toBe(DONE);
    expect(endingOf({ ...sent, finish: 'stop', done: true }, true)).toBe('');
  });

  it('tells the counts if they are wanted and known', () => {
    expect(endingOf({ ...sent, finish: 'stop' }, true)).toBeNull();
    const ending = endingOf({ ...sent, finish: 'stop', usage: { prompt: 3, completion: 2 } }, true)!;
    expect(parsed(ending)).toEqual([{ ...chunk, choices: [], usage: usageOf(3, 2) }, '[DONE]']);
  });
});
