import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { modelNotString, RouterError } from '../../../src/core/errors.js';
import { apiShape, jsonObject, readRequest, type ReadInput } from '../../../src/core/request-reader.js';
import { anyText } from '../../support/any-text.js';

const input = (fields: Partial<ReadInput> = {}): ReadInput => ({
  contentType: 'application/json',
  query: '',
  sessionKey: null,
  ...fields,
});
const read = (body: Buffer | string, fields: Partial<ReadInput> = {}) => {
  const { model, stream, session } = readRequest(Buffer.from(body), input(fields));
  return { model, stream, session };
};
const code = (body: Buffer | string, fields: Partial<ReadInput> = {}): unknown => {
  try {
    return readRequest(Buffer.from(body), input(fields));
  } catch (error) {
    expect(error).toBeInstanceOf(RouterError);
    expect((error as RouterError).status).toBe(400);
    return (error as RouterError).code;
  }
};

/** What a body says when it is parsed as the text it is, or the message of its refusal. */
function readAsText(body: Buffer, sessionKey: string | null): unknown {
  const marked = body.subarray(0, 3).equals(Buffer.from('\ufeff'));
  let object: Record<string, unknown>;
  try {
    object = JSON.parse(body.toString('utf8', marked ? 3 : 0));
  } catch (error) {
    const told = (error as Error).message.replace(/\s+/g, ' ').slice(0, 200);
    return `Invalid request: request body must be valid JSON (${told}).`;
  }
  const own = (key: string): unknown => (Object.hasOwn(object, key) ? object[key] : null);
  const model = own('model');
  if (model !== null && typeof model !== 'string') return modelNotString().message;
  const session = sessionKey === null ? null : own(sessionKey);
  return {
    model: model === '' ? null : model,
    stream: own('stream') === true,
    session:
      typeof session === 'number' ? String(session) : typeof session === 'string' ? session || null : null,
    json: true,
  };
}

describe('a JSON body', () => {
  it('names its model, and says whether it wants a stream', () => {
    expect(read('{"model":"a","stream":true}')).toEqual({ model: 'a', stream: true, session: null });
    expect(read(' {"model" : "a" , "stream":false}\n')).toEqual({ model: 'a', stream: false, session: null });
    expect(read('\ufeff{"mod\\u0065l":"\\u00e4\\n"}').model).toBe('\u00e4\n');
    expect(read('{"model":"a","model":"b"}').model).toBe('b');
    expect(read('{"stream":"true"}')).toEqual({ model: null, stream: false, session: null });
    expect(read('{"model":null}').model).toBeNull();
    expect(read('{"model":""}').model).toBeNull();
    expect(read('').model).toBeNull();
  });

  it('is read whatever its type is called', () => {
    for (const contentType of [undefined, 'text/plain', 'application/octet-stream']) {
      expect(read('{"model":"a"}', { contentType }).model).toBe('a');
    }
  });

  it('is refused by kind', () => {
    for (const body of ['{', 'x', 'NaN', "{'a':1}", '{"a":1,}', '[', '\0', '{"a":"\n"}', '//'])
      expect([body, code(body)]).toEqual([body, 'invalid_json']);
    for (const body of [
      '[]',
      '1',
      '"a"',
      'null',
      'true',
      '{"model":1}',
      '{"model":{}}',
      '{"model":["a"]}',
      '{"model":false}',
    ]) {
      expect([body, code(body)]).toEqual([body, 'invalid_request']);
    }
  });

  it('does not blur a log with what it holds', () => {
    try {
      readRequest(Buffer.from(`{"a":\r\n\r\n"b" ${'\u2028'.repeat(9)}${'x'.repeat(500)}}`), input());
      throw new Error('it was read');
    } catch (error) {
      expect((error as Error).message).toMatch(
        /^Invalid request: request body must be valid JSON \([^\r\n]{1,200}\)\.$/,
      );
    }
  });

  it('keeps nothing of a session beyond what it takes: it lives as long as the request, and its body does not', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const body = Buffer.from(`{"user":"${'x'.repeat(500_000)}"}`);
    collect();
    const before = process.memoryUsage().heapUsed;
    const sessions = Array.from({ length: 40 }, () => read(body, { sessionKey: 'user' }).session);
    collect();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(4_000_000);
    expect(sessions).toHaveLength(40);
  });

  it('names its session by the key that is asked for, and by none that objects inherit', () => {
    expect(read('{"user":"anna"}', { sessionKey: 'user' }).session).toBe('anna');
    expect(read('{"user":7}', { sessionKey: 'user' }).session).toBe('7');
    expect(read('{"user":""}', { sessionKey: 'user' }).session).toBeNull();
    expect(read('{"user":{"a":1}}', { sessionKey: 'user' }).session).toBeNull();
    expect(read('{"user":"anna"}', { sessionKey: 'User' }).session).toBeNull();
    expect(read('{"user":"anna"}').session).toBeNull();
    for (const sessionKey of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      expect(read('{"model":"a"}', { sessionKey })).toEqual({ model: 'a', stream: false, session: null });
    }
    expect(read('{"__proto__":{"model":"x"}}').model).toBeNull();
    expect(read(`{"user":"${'x'.repeat(2_000)}"}`, { sessionKey: 'user' }).session).toHaveLength(1_024);
    // A character that is cut in two stays cut.
    const cut = `${'é'.repeat(1_023)}\u{1f600}`;
    expect(read(`{"user":"${cut}"}`, { sessionKey: 'user' }).session).toBe(cut.slice(0, 1_024));
  });

  it('quotes its text as it is where it is refused', () => {
    expect(() => readRequest(Buffer.from('{"é":é}'), input())).toThrow(`'é', "{"é":é}"`);
  });

  it('is read like its text, byte for byte', () => {
    const word = fc.oneof(
      fc.constantFrom(
        'model',
        'stream',
        'user',
        'é',
        '__proto__',
        'mod\\u0065l',
        '\\u00e9',
        '\\',
        '\n',
        '\ufeff',
      ),
      anyText({ maxLength: 3 }),
    );
    const value = fc.oneof(
      fc.constantFrom('true', 'null', '1', '-0', '1e999', '{}', '[1]', 'tru', '{"model":"x"}'),
      word.map((text) => `"${text}"`),
    );
    const members = fc.array(fc.tuple(word, value), { maxLength: 5 });
    const json = members.map((list) => `{${list.map(([key, of]) => `"${key}":${of}`).join(',')}}`);
    const edit = fc.tuple(fc.nat(60), fc.integer({ min: 0, max: 255 }));
    const bytes = fc
      .tuple(fc.boolean(), json, fc.array(edit, { maxLength: 2 }))
      .map(([mark, text, edits]) => {
        const body = Buffer.from((mark ? '\ufeff' : '') + text);
        for (const [at, byte] of edits) if (at < body.length) body[at] = byte;
        return body;
      });
    fc.assert(
      fc.property(bytes, fc.constantFrom(null, 'user', 'é', '__proto__'), (body, sessionKey) => {
        const told = (): unknown => {
          try {
            return readRequest(body, input({ sessionKey }));
          } catch (error) {
            return (error as Error).message;
          }
        };
        expect(told()).toEqual(readAsText(body, sessionKey));
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('the object of a body', () => {
  it('is its text in UTF-8', () => {
    const of = (body: Buffer | string): unknown => jsonObject(Buffer.from(body));
    expect(of('\ufeff{"model":"é","n":[1]}')).toEqual({ model: 'é', n: [1] });
    for (const body of ['', '[]', 'null', '1', '{', '"a"'])
      expect([body, of(body)]).toEqual([body, undefined]);
  });
});

describe('a form', () => {
  const contentType = 'multipart/form-data; boundary=b';
  const form = (fields: Record<string, string>): string =>
    `${Object.entries(fields)
      .map(([name, value]) => `--b\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
      .join('')}--b--\r\n`;

  it('names its model, its session, and says whether it wants a stream', () => {
    expect(
      read(form({ model: 'a', stream: 'True', user: 'anna' }), { contentType, sessionKey: 'user' }),
    ).toEqual({ model: 'a', stream: true, session: 'anna' });
    for (const stream of ['false', '0', '', 'x'])
      expect(read(form({ model: 'a', stream }), { contentType }).stream).toBe(false);
    for (const stream of ['true', '1', 'YES', 'on'])
      expect(read(form({ model: 'a', stream }), { contentType }).stream).toBe(true);
    expect(read(form({ stream: 'true' }), { contentType }).model).toBeNull();
    expect(read('no form at all', { contentType }).model).toBeNull();
  });
});

describe('a query', () => {
  it('names the model where the body does not, and where it is not for the router to read', () => {
    expect(read('', { query: 'model=a%2Fb' }).model).toBe('a/b');
    expect(read('', { query: 'x=1&model=a&model=b' }).model).toBe('a');
    expect(read('', { query: 'model=' }).model).toBeNull();
    expect(read('', { query: 'models=a' }).model).toBeNull();
    expect(read('{"model":"a"}', { query: 'model=b' }).model).toBe('a');
    expect(read('{"n":1}', { query: 'model=b' }).model).toBe('b');
    expect(read('[1]', { query: 'model=b' }).model).toBe('b');
    expect(read(Buffer.from([0xff, 0]), { query: 'model=b' }).model).toBe('b');
    expect(code('[1]', { query: 'model=' })).toBe('invalid_request');
    expect(read('', { query: '%zz&model=a' }).model).toBe('a');
  });
});

describe('any body', () => {
  it('is read or refused with 400', () => {
    const types = fc.constantFrom(
      undefined,
      'application/json',
      'multipart/form-data; boundary=b',
      'multipart/form-data',
    );
    fc.assert(
      fc.property(
        fc.uint8Array(),
        types,
        fc.string(),
        (bytes, contentType, query) =>
          void code(Buffer.from(bytes), { contentType, query, sessionKey: 'user' }),
      ),
    );
    fc.assert(fc.property(fc.json(), (json) => void code(json, { sessionKey: 'a' })));
  });
});

describe('the shape of an API', () => {
  it.each([
    ['/v1/chat/completions', 'chat'],
    ['/v1/completions', 'completions'],
    ['/v1/responses', 'responses'],
    ['/v1/messages', 'messages'],
    ['/v1/messages/count_tokens', 'messages'],
    ['/v1/embeddings', 'other'],
    ['/v1/messages/', 'other'],
    ['/__proto__', 'other'],
  ])('at %s is %s', (path, shape) => {
    expect(apiShape(path)).toBe(shape);
  });
});
