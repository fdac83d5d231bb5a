import fc from 'fast-check';
import {
  countsRequest,
  type NextRequest,
  nextRequest,
} from '../../../../src/core/continuation/next-request.js';
import type { SentStream } from '../../../../src/core/continuation/text-so-far.js';

const chat = { model: 'm', stream: true, messages: [{ role: 'user', content: 'hello' }] };
const completion = { model: 'm', stream: true, prompt: 'once' };

/** What was sent, a piece after the other. */
function sentOf(pieces: readonly string[], more: Partial<SentStream> = {}): SentStream {
  let text = '';
  const ends = pieces.map((piece) => (text += piece).length);
  const base = { usage: null, finish: null, usageTold: false, done: false, identity: {}, older: 0 };
  return { ...base, text, ends, ...more };
}

const next = (body: object, pieces: readonly string[], more: Partial<SentStream> = {}): NextRequest => {
  const made = nextRequest({ ...chat, ...body }, 'chat', sentOf(pieces, more));
  if (typeof made === 'string') throw new Error(made);
  return made;
};

describe('nextRequest', () => {
  it('opens a message of the assistant with the text so far', () => {
    const body = { ...chat, max_tokens: 10, min_tokens: 4, temperature: 0.3, stop: ['x'] };
    expect(nextRequest(body, 'chat', sentOf([' a', ' b', ' c']))).toEqual({
      body: {
        ...body,
        messages: [...chat.messages, { role: 'assistant', content: ' a b c' }],
        continue_final_message: true,
        add_generation_prompt: false,
        max_tokens: 7,
        min_tokens: 1,
      },
      tokens: 3,
      repeats: '',
    });
    expect(chat.messages).toHaveLength(1);
  });

  it('goes on in a message that the client has begun', () => {
    const messages = [...chat.messages, { role: 'assistant', content: 'Well,', name: 'x' }];
    const open = { messages, continue_final_message: true, add_generation_prompt: false };
    expect(next(open, [' yes']).body).toMatchObject({
      messages: [...chat.messages, { role: 'assistant', content: 'Well, yes', name: 'x' }],
      continue_final_message: true,
      add_generation_prompt: false,
    });
  });

  it('answers once more after a message of the assistant that is closed', () => {
    const messages = [...chat.messages, { role: 'assistant', content: 'Well.' }];
    expect(next({ messages }, ['And']).body['messages']).toEqual([
      ...messages,
      { role: 'assistant', content: 'And' },
    ]);
  });

  it('appends the text to the prompt of a completion, white space and all', () => {
    expect(nextRequest(completion, 'completions', sentOf([' upon', ' a\n\n']))).toEqual({
      body: { ...completion, prompt: 'once upon a\n\n', max_tokens: 14 },
      tokens: 2,
      repeats: '',
    });
    const unlimited = nextRequest({ ...completion, max_tokens: null }, 'completions', sentOf([' a']));
    expect(unlimited).toMatchObject({ body: { max_tokens: null } });
  });

  it('reduces each limit that is given, and no other', () => {
    const { body } = next({ max_tokens: 9, max_completion_tokens: 8, min_tokens: 1 }, ['a', 'b']);
    expect(body).toMatchObject({ max_tokens: 7, max_completion_tokens: 6, min_tokens: 0 });
    expect(next({}, ['a', 'b']).body).not.toHaveProperty('max_tokens');
    expect(nextRequest({ ...chat, max_completion_tokens: 2 }, 'chat', sentOf(['a', 'b']))).toBe(
      'max_completion_tokens',
    );
  });

  it('counts by the usage that the stream has told, where pieces hold several tokens', () => {
    expect(next({ max_tokens: 20 }, ['a b c', 'd e'], { usage: { prompt: 3, completion: 5 } })).toMatchObject(
      {
        tokens: 5,
        body: { max_tokens: 15 },
      },
    );
  });

  it('leaves white space at the end to the next engine, and counts what is made again once', () => {
    expect(next({ max_tokens: 9 }, ['a', ' b.\n', '\n', ' '])).toMatchObject({
      tokens: 2,
      repeats: '\n\n ',
      body: { max_tokens: 7, messages: [{}, { content: 'a b.' }] },
    });
    expect(next({ max_tokens: 9 }, ['a', '\n'], { usage: { prompt: 1, completion: 4 } }).tokens).toBe(3);
  });

  it('begins anew when there is nothing but white space', () => {
    expect(next({ max_tokens: 9 }, ['\n', ' '])).toEqual({
      body: { ...chat, max_tokens: 9 },
      tokens: 0,
      repeats: '\n ',
    });
    expect(nextRequest(completion, 'completions', sentOf(['']))).toMatchObject({
      body: { prompt: 'once', max_tokens: 16 },
      tokens: 0,
    });
  });

  it('does not count pieces without text at the end: their text has not been sent', () => {
    expect(next({}, ['a', '', '']).tokens).toBe(1);
    expect(next({}, ['', '', 'é', '']).tokens).toBe(3);
  });

  it('counts tokens whose text is held back for a stop string as not sent', () => {
    // Three characters are held back: after each token that many of the text are not there yet.
    const pieces = ['', 'a', 'bb', 'cc', 'dd'];
    expect(next({ stop: ['STOP'], max_tokens: 9 }, pieces)).toMatchObject({
      tokens: 4,
      body: { max_tokens: 5 },
    });
    expect(next({ stop: ['STOP'], include_stop_str_in_output: true }, pieces).tokens).toBe(5);
  });

  it.each<[string, string[], unknown]>([
    ['at the end of the text', [' a', ' S'], ['STOP']],
    ['given alone', ['x\n'], '\n\n'],
    ['all but its last character', ['a STO'], ['ab', 'STOP']],
  ])('does not go on behind the beginning of a stop string: %s', (_name, pieces, stop) => {
    expect(nextRequest({ ...chat, stop }, 'chat', sentOf(pieces))).toBe('stop');
  });

  it('goes on behind a text that holds a part of a stop string elsewhere', () => {
    expect(next({ stop: ['STOP', '\n'] }, ['ST', 'O', 'x']).tokens).toBeGreaterThan(0);
  });

  it.each(['<think>so', 'so</think> a', '[THINK]a', '<|channel|>analysis'])(
    'does not go on with reasoning in the text: %s',
    (text) => {
      expect(nextRequest(chat, 'chat', sentOf([text]))).toBe('reasoning');
      expect(typeof nextRequest(completion, 'completions', sentOf([text]))).toBe('object');
    },
  );

  it('asks for what is left: tokens before and after make the limit, text and repeats make what was sent', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', 'é', '😀'), maxLength: 4 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const limit = 1_000;
        const made = next({ max_tokens: limit }, pieces);
        const messages = made.body['messages'] as { content: string }[];
        const kept = messages.length > 1 ? messages[1]!.content : '';
        expect(kept + made.repeats).toBe(pieces.join(''));
        expect(kept).toBe(kept.trimEnd());
        expect((made.body['max_tokens'] as number) + made.tokens).toBe(limit);
        // No token that is to be made again is counted: the text before them is all within those that are.
        const counted = pieces.slice(0, made.tokens).join('');
        expect(counted.length).toBeGreaterThanOrEqual(kept.length);
        expect(pieces.slice(0, Math.max(0, made.tokens - 1)).join('').length).toBeLessThan(
          Math.max(1, kept.length),
        );
      }),
    );
  });
});

describe('countsRequest', () => {
  const ended = (finish: string, ...pieces: string[]) => sentOf(pieces, { finish });

  it('asks what the client has asked, for one token', () => {
    const body = { ...chat, max_tokens: 9, min_tokens: 3, stop: 'x' };
    expect(countsRequest(body, 'chat', ended('stop', 'a', ' b', ''))).toEqual({
      body: { ...body, max_tokens: 1, min_tokens: 0 },
      tokens: 3,
      repeats: '',
    });
    const newer = { ...chat, max_completion_tokens: 9 };
    expect(countsRequest(newer, 'chat', ended('stop', 'a')).body).toMatchObject({ max_completion_tokens: 1 });
  });

  it('counts as many tokens as were allowed where these are used up', () => {
    const tokens = (body: object, shape: 'chat' | 'completions', finish: string) =>
      countsRequest({ ...body }, shape, ended(finish, 'a b')).tokens;
    expect(tokens({ ...chat, max_tokens: 5 }, 'chat', 'length')).toBe(5);
    expect(tokens({ ...chat, max_tokens: 5, max_completion_tokens: 4 }, 'chat', 'length')).toBe(4);
    expect(tokens({ ...chat, max_tokens: 5 }, 'chat', 'stop')).toBe(1);
    expect(tokens(chat, 'chat', 'length')).toBe(1);
    expect(tokens(completion, 'completions', 'length')).toBe(16);
  });
});
