import * as fc from 'fast-check';
import { formFields, multipartBoundary } from '../../../src/core/multipart.js';

type Part = readonly [head: string, body: Buffer | string];
const form = (parts: readonly Part[], boundary = 'b', end = '--'): Buffer =>
  Buffer.concat([
    ...parts.flatMap(([head, body]) => [
      Buffer.from(`--${boundary}\r\n${head}\r\n\r\n`),
      Buffer.from(body),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}${end}\r\n`),
  ]);
const field = (name: string, value: Buffer | string): Part => [
  `Content-Disposition: form-data; name="${name}"`,
  value,
];
const file = (name: string, value: Buffer | string): Part => [
  `Content-Disposition: form-data; name="${name}"; filename="model"\r\nContent-Type: audio/wav`,
  value,
];
const read = (body: Buffer, boundary = 'b', wanted = ['model', 'stream']): Record<string, string> =>
  Object.fromEntries(formFields(body, boundary, wanted));

describe('the boundary of a form', () => {
  it.each<[string, string | null]>([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data;charset=utf-8; Boundary="a b;c"', 'a b;c'],
    [' multipart/form-data ; boundary = abc ; x=y', 'abc'],
    ['multipart/form-data', null],
    ['multipart/form-data; boundary=', null],
    ['multipart/form-data; boundary=""', null],
    [`multipart/form-data; boundary="${'x'.repeat(201)}"`, null],
    ['multipart/form-datax; boundary=abc', null],
    ['multipart/mixed; boundary=abc', null],
    ['application/json', null],
  ])('of %s is %s', (type, expected) => {
    expect(multipartBoundary(type)).toBe(expected);
  });
});

describe('the fields of a form', () => {
  it('are those asked for, wherever they stand', () => {
    expect(
      read(form([file('file', 'x'), field('model', 'tiny'), field('other', 'y'), field('stream', 'true')])),
    ).toEqual({ model: 'tiny', stream: 'true' });
  });

  it('are the last ones when they are repeated, as engines read them', () => {
    expect(read(form([field('model', 'a'), field('model', 'b')]))).toEqual({ model: 'b' });
  });

  it('are no files, whatever those are called', () => {
    expect(read(form([file('model', 'a')]))).toEqual({});
    expect(read(form([['Content-Disposition: form-data; name="model"; filename*=utf-8\'\'a', 'a']]))).toEqual(
      {},
    );
    expect(read(form([['Content-Disposition: form-data; filename=""; name="model"', 'a']]))).toEqual({});
  });

  it('may be written in other ways', () => {
    for (const head of [
      'content-disposition:form-data;name=model',
      'X-First: 1\r\nCONTENT-DISPOSITION: FORM-DATA; NAME="model"\r\nContent-Type: text/plain',
      'Content-Disposition: form-data; name="mo\\del"',
      'Content-Disposition: form-data; xname="other"; name="model"',
    ]) {
      expect([head, read(form([[head, 'tiny']]))]).toEqual([head, { model: 'tiny' }]);
    }
    for (const head of [
      'Content-Disposition: attachment; name="model"',
      'X: form-data; name="model"',
      'Content-Disposition: form-data',
      '',
    ]) {
      expect([head, read(form([[head, 'tiny']]))]).toEqual([head, {}]);
    }
  });

  it('are kept as they are: empty, in UTF-8, with line ends and what looks like a boundary', () => {
    for (const value of [
      '',
      'na\u00efve \u{1f680}',
      'a\r\nb\n',
      '--bx',
      'x\r\n--bx\r\ny',
      '\r\n--b-\r\n',
      '\r\n\r\n',
    ]) {
      expect(read(form([field('model', value), field('stream', 'x')]))).toEqual({
        model: value,
        stream: 'x',
      });
    }
  });

  it('are found behind a preamble, with padded boundaries, and up to where a form is cut', () => {
    expect(read(Buffer.concat([Buffer.from('preamble\r\n'), form([field('model', 'a')])]))).toEqual({
      model: 'a',
    });
    expect(
      read(Buffer.from('--b \t\r\ncontent-disposition: form-data; name="model"\r\n\r\na\r\n--b--')),
    ).toEqual({ model: 'a' });
    expect(read(form([field('model', 'a'), field('stream', 'b')]).subarray(0, -8))).toEqual({ model: 'a' });
    expect(read(form([field('model', 'a')], 'b', ''))).toEqual({ model: 'a' });
    const afterEnd = Buffer.concat([form([field('stream', 'b')]), form([field('model', 'a')])]);
    expect(read(afterEnd)).toEqual({ stream: 'b' });
  });

  it('are bounded: long values and heads are left out, and parts beyond the thousandth', () => {
    expect(read(form([field('model', 'x'.repeat(4_096))])).model).toHaveLength(4_096);
    expect(read(form([field('model', 'x'.repeat(4_097))]))).toEqual({});
    expect(
      read(form([[`X: ${'y'.repeat(9_000)}\r\nContent-Disposition: form-data; name="model"`, 'a']])),
    ).toEqual({});
    const many = Array.from({ length: 1_000 }, () => field('x', '1'));
    expect(read(form([...many.slice(1), field('model', 'a')]))).toEqual({ model: 'a' });
    expect(read(form([...many, field('model', 'a')]))).toEqual({});
  });

  it('come out of any form as they went in', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(
        fc.array(bytes, { maxLength: 4 }),
        fc.string({ maxLength: 40 }),
        fc.nat(4),
        (files, model, at) => {
          const boundary = 'never-in-random-bytes';
          const parts = files.map((body) => file('file', body));
          parts.splice(at, 0, field('model', model));
          expect(read(form(parts, boundary), boundary)).toEqual({ model: Buffer.from(model).toString() });
        },
      ),
    );
  });

  it('never throw, whatever the bytes are', () => {
    const snippet = fc.constantFrom(
      '--b',
      '\r\n',
      '--',
      'content-disposition: form-data; name="model"',
      'x',
      '\r\n\r\n',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(snippet, { maxLength: 30 }), (parts) => void read(Buffer.from(parts.join('')))),
    );
  });
});
