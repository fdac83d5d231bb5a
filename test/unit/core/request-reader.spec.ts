import * as fc from 'fast-check';
import { RouterError } from '../../../src/core/errors.js';
import { apiShape, readRequest, type ReadInput } from '../../../src/core/request-reader.js';

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
  });

  it('is parsed once: the strategies get what was read', () => {
    expect(readRequest(Buffer.from('{"model":"a","n":[1]}'), input()).body).toEqual({ model: 'a', n: [1] });
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
