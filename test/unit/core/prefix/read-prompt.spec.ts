import fc from 'fast-check';
import {
  extendPrompt,
  readPrompt,
  type ReadPrompt,
  tokenBlocks,
} from '../../../../src/core/prefix/read-prompt.js';
import { chainSeed } from '../../../../src/core/prefix/block-names.js';
import type { ApiShape } from '../../../../src/core/request-facts.js';

type Body = Readonly<Record<string, unknown>>;

const KEY = { high: 0x01234567, low: 0x89abcdef };

const read = (body: Body, shape: ApiShape = 'chat', model = 'm', key = KEY): ReadPrompt => {
  const found = readPrompt(shape, body, model, key);
  if (found === null) throw new Error('no prompt');
  return found;
};
const namesOf = (body: Body, shape?: ApiShape): number[] => [...read(body, shape).blocks.names];

/** Leading names that two prompts have in common. */
const shared = (a: readonly number[], b: readonly number[]): number => {
  const differs = a.findIndex((name, at) => b[at] !== name);
  return differs < 0 ? a.length : differs;
};

const words = (count: number, seed = 'word'): string =>
  Array.from({ length: count }, (_, at) => `${seed}${at}`).join(' ');
const user = (content: unknown): Body => ({ role: 'user', content });
const chat = (...messages: readonly unknown[]): Body => ({ messages });

describe('the blocks of a conversation', () => {
  it('cut its canonical text into 256 bytes each and count the rest', () => {
    const { blocks } = read(chat(user('x'.repeat(1_000))));
    expect(blocks).toMatchObject({ blockSize: 256, unit: 'bytes' });
    // Two marks, the role and the content.
    expect(blocks.size).toBe(1_006);
    expect(blocks.names).toHaveLength(3);
    expect([...blocks.names].every((name) => Number.isSafeInteger(name) && name >= 0)).toBe(true);
  });

  it('are the same as far as two conversations are the same', () => {
    const system = { role: 'system', content: words(300) };
    const [a, b] = [namesOf(chat(system, user('one'))), namesOf(chat(system, user(words(100))))];
    expect(shared(a, b)).toBe(Math.floor((2 + 6 + system.content.length + 6) / 256));
    expect(new Set([...a, ...b]).size).toBe(a.length + b.length - shared(a, b));
  });

  it('begin those of the next turn, the answer included', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 900 });
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), text, text, (turns, answer, next) => {
        const messages = turns.map(user);
        const prompt = read(chat(...messages));
        const later = namesOf(chat(...messages, { role: 'assistant', content: answer }, user(next)));
        const known = [...prompt.blocks.names];
        expect(shared(known, later)).toBe(known.length);
        const extended = extendPrompt(prompt, answer);
        if (extended === null) return;
        expect(extended.names.length).toBeGreaterThan(known.length);
        expect(shared([...extended.names], later)).toBe(extended.names.length);
        expect(extended.size).toBe(
          read(chat(...messages, { role: 'assistant', content: answer })).blocks.size,
        );
      }),
    );
  });

  it('tell roles, names, borders between messages, tools and calls apart', () => {
    const long = words(200);
    const variants = [
      chat(user(long)),
      chat({ role: 'system', content: long }),
      chat({ role: 'user', name: 'ann', content: long }),
      chat(user(''), user(long)),
      chat({ role: 'user', content: null, tool_calls: [{ function: { name: 'f', arguments: long } }] }),
      { ...chat(user(long)), tools: [{ type: 'function', function: { name: 'f' } }] },
      { ...chat(user(long)), tools: [{ type: 'function', function: { name: 'g' } }] },
      { ...chat(user(long)), cache_salt: 'salt' },
      { ...chat(user(long)), documents: [{ title: 't', text: 'd' }] },
    ];
    expect(new Set(variants.map((body) => namesOf(body)[0])).size).toBe(variants.length);
    expect(namesOf(chat(user('user'.repeat(80))))[0]).not.toBe(
      namesOf(chat(user(''), user('user'.repeat(78))))[0],
    );
  });

  it('are those of the text, whether it stands alone or in a list, and in whichever API', () => {
    const [system, text] = [words(60, 's'), words(100, 'u')];
    const wanted = namesOf(chat({ role: 'system', content: system }, user(text)));
    const parts = [{ type: 'text', text }];
    expect(namesOf(chat({ role: 'system', content: system }, user(parts)))).toEqual(wanted);
    expect(namesOf({ system, messages: [user(text)] }, 'messages')).toEqual(wanted);
    expect(
      namesOf({ system: [{ type: 'text', text: system }], messages: [user(parts)] }, 'messages'),
    ).toEqual(wanted);
    expect(namesOf({ instructions: system, input: text }, 'responses')).toEqual(wanted);
    const items = [{ type: 'message', role: 'user', content: [{ type: 'input_text', text }] }];
    expect(namesOf({ instructions: system, input: items }, 'responses')).toEqual(wanted);
  });

  it('take tools first, wherever they stand in the body', () => {
    const tools = [{ type: 'function', function: { name: 'f', description: words(100) } }];
    const [a, b] = [
      { tools, ...chat(user('a')) },
      { ...chat(user(words(90))), tools },
    ];
    const [first, second] = [namesOf(a), namesOf(b)];
    expect(first.length).toBeGreaterThan(1);
    expect(shared(first, second)).toBe(first.length);
  });

  it('know an image by its hash and count it as 2,048 bytes', () => {
    const image = (url: string): Body => ({ type: 'image_url', image_url: { url } });
    const [large, other] = ['a', 'b'].map((end) => `data:image/png;base64,${'x'.repeat(100_000)}${end}`);
    const ask = (part: Body): ReadPrompt => read(chat(user([part, { type: 'text', text: words(50) }])));
    expect(ask(image(large!)).blocks.names).toEqual(ask(image(large!)).blocks.names);
    expect(ask(image(large!)).blocks.names[0]).not.toBe(ask(image(other!)).blocks.names[0]);
    expect(ask(image('https://a/1.png')).blocks.names[0]).not.toBe(
      ask(image('https://a/2.png')).blocks.names[0],
    );
    expect(ask(image(large!)).blocks.size).toBe(2 + 4 + 2_048 + 1 + words(50).length);
    const source = { type: 'image', source: { type: 'base64', data: 'y'.repeat(50_000) } };
    const result = { type: 'tool_result', tool_use_id: 't', content: [source] };
    expect(read(chat(user([result])), 'messages').blocks.size).toBeLessThan(3_000);
  });

  it('tell images apart by their begin and their size when there are too many to be read whole', () => {
    const images = (last: string): Body =>
      chat(
        user(
          [...Array.from({ length: 8 }, (_, at) => `${at}${'x'.repeat(200_000)}`), last].map((data) => ({
            type: 'image_url',
            image_url: { url: `data:image/png;base64,${data}` },
          })),
        ),
      );
    const last = ['a'.repeat(9_000), 'b'.repeat(9_000), 'a'.repeat(9_001)].map((data) =>
      namesOf(images(data)),
    );
    expect(new Set(last.map((names) => names.at(-1))).size).toBe(3);
    expect(new Set(last.map((names) => names[60])).size).toBe(1);
  });

  it('differ with the model and with the key of the router', () => {
    const body = chat(user(words(100)));
    const all = [
      read(body),
      read(body, 'chat', 'other'),
      read(body, 'chat', 'm', { ...KEY, low: 1 }),
      read(body, 'chat', 'm', { ...KEY, high: 1 }),
    ];
    expect(new Set(all.map(({ blocks }) => blocks.names[0])).size).toBe(4);
  });
});

describe('the blocks of other prompts', () => {
  it('are those of a text, with its answer behind it as it is', () => {
    const [prompt, answer] = [words(100), words(90, 'answer')];
    const first = read({ prompt }, 'completions');
    expect(first.blocks.size).toBe(prompt.length);
    const extended = extendPrompt(first, answer);
    expect(extended).toEqual(read({ prompt: prompt + answer }, 'completions').blocks);
    expect(extendPrompt(first, '')).toBeNull();
    expect(namesOf({ input: prompt }, 'other')).toEqual([...first.blocks.names]);
  });

  it('are 64 token ids each where the client sends ids', () => {
    const ids = Array.from({ length: 200 }, (_, at) => (at * 7919) % 50_000);
    const { blocks, end } = read({ prompt: ids }, 'completions');
    expect(blocks).toMatchObject({ size: 200, blockSize: 64, unit: 'tokens' });
    expect(blocks.names).toHaveLength(3);
    expect(end).toBeNull();
    expect(blocks).toEqual(tokenBlocks(Int32Array.from(ids), chainSeed(KEY, ['tokens', 'm', ''])));
    const other = [...ids.slice(0, 150), 1, ...ids.slice(151)];
    expect(shared([...blocks.names], namesOf({ prompt: other }, 'completions'))).toBe(2);
  });

  it('are those of the first of several prompts, in the size of all', () => {
    const [a, b] = [words(100), words(60)];
    expect(read({ prompt: [a, b] }, 'completions')).toEqual({
      blocks: { ...read({ prompt: a }, 'completions').blocks, size: a.length + b.length },
      end: null,
    });
    const lists = [Array.from({ length: 70 }, () => 1), [1, 2, 3]];
    expect(read({ input: lists }, 'other').blocks).toMatchObject({ size: 73, unit: 'tokens' });
  });

  it('count characters in bytes of UTF-8 and survive halves of pairs', () => {
    expect(read({ prompt: '漢字'.repeat(100) }, 'completions').blocks.size).toBe(600);
    expect(read({ prompt: '\ud83d'.repeat(300) }, 'completions').blocks.names).toHaveLength(3);
  });
});

describe('hostile prompts', () => {
  it('are null or named within the bound, and never throw', () => {
    const shape = fc.constantFrom<ApiShape>('chat', 'completions', 'responses', 'messages', 'other');
    const key = fc.constantFrom('messages', 'prompt', 'input', 'system', 'tools', 'cache_salt', 'query');
    fc.assert(
      fc.property(shape, fc.dictionary(key, fc.jsonValue({ maxDepth: 6 })), (api, body) => {
        const found = readPrompt(api, body, 'm', KEY);
        if (found === null) return;
        expect(found.blocks.names.length).toBeLessThanOrEqual(found.blocks.size / found.blocks.blockSize);
        expect(extendPrompt(found, 'answer')?.names.length ?? 1).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });

  it('name at most 131,072 tokens and count the rest', () => {
    const text = read(chat(user('a'.repeat(1_000_000))));
    expect(text.blocks.names).toHaveLength(2_048);
    expect(text.blocks.size).toBe(1_000_006);
    expect(text.end).toBeNull();
    const ids = read({ prompt: Array.from({ length: 200_000 }, () => 5) }, 'completions');
    expect(ids.blocks.names).toHaveLength(2_048);
    expect(ids.blocks.size).toBe(200_000);
    const many = read(chat(user('a'.repeat(600_000)), user('b'.repeat(100_000))));
    expect(many.blocks.size).toBe(700_000 + 12);
  });

  it('leave the depths and the ends of endless lists aside', () => {
    const deep = JSON.parse(`${'['.repeat(10_000)}${']'.repeat(10_000)}`) as unknown;
    expect(readPrompt('completions', { prompt: deep }, 'm', KEY)).toBeNull();
    expect(read(chat(user(deep))).blocks.size).toBeLessThan(200);
    expect(read({ ...chat(user('x')), tools: deep }).blocks.size).toBeLessThan(200);
    const parts = Array.from({ length: 100_000 }, () => ({ type: 'text', text: 'a' }));
    expect(read(chat(user(parts))).end).toBeNull();
    const nulls = Array.from({ length: 100_000 }, () => null);
    expect(read({ messages: nulls }).end).toBeNull();
  });

  it('that are no prompts have no blocks', () => {
    const none: readonly (readonly [ApiShape, Body])[] = [
      ['chat', {}],
      ['chat', { messages: { role: 'user' } }],
      ['completions', { prompt: 5 }],
      ['completions', { prompt: { a: 1 } }],
      ['completions', { prompt: [{ prompt_embeds: 'x' }] }],
      ['completions', { prompt: [1, 'a'] }],
      ['responses', { input: null }],
      ['other', { file: 'x' }],
    ];
    for (const [shape, body] of none) expect(readPrompt(shape, body, 'm', KEY)).toBeNull();
    for (const prompt of ['', [], [[]], ['']]) {
      expect(read({ prompt }, 'completions').blocks).toMatchObject({ size: 0, names: new Float64Array() });
    }
    expect(read({ messages: [] }).blocks.size).toBe(0);
  });
});

describe('a prompt whose log probabilities are asked for', () => {
  const prompt = words(300);

  it.each<[ApiShape, Body]>([
    ['completions', { prompt, prompt_logprobs: 0 }],
    ['completions', { prompt, echo: true, logprobs: 1 }],
    ['completions', { prompt: Array.from({ length: 300 }, (_, at) => at), prompt_logprobs: 1 }],
    ['chat', { ...chat(user(prompt)), prompt_logprobs: 5 }],
  ])('has no blocks, since all of it is computed, and its size (%s, %#)', (shape, body) => {
    const { blocks, end } = read(body, shape);
    const { prompt_logprobs: _, echo: __, ...plain } = body;
    expect(blocks.names).toHaveLength(0);
    expect(blocks.size).toBe(read(plain, shape).blocks.size);
    expect(end).toBeNull();
  });

  it.each<[ApiShape, Body]>([
    ['completions', { prompt, prompt_logprobs: null, echo: true }],
    ['completions', { prompt, echo: false, logprobs: 1 }],
    ['chat', { ...chat(user(prompt)), logprobs: true, echo: true }],
  ])('is another one than that of an answer (%s, %#)', (shape, body) => {
    expect(read(body, shape).blocks.names.length).toBeGreaterThan(2);
  });
});
