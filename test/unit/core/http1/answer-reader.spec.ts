import fc from 'fast-check';
import { AnswerReader } from '../../../../src/core/http1/answer-reader.js';
import { causeOfError } from '../../../../src/core/attempt-failure.js';
import { MalformedAnswer } from '../../../../src/core/http1/malformed-answer.js';
import { INVALID, VALID, type CorpusCase } from '../../../support/answer-corpus.js';
import { readAnswer, type ReadAnswer } from '../../../support/read-answer.js';

const ALL = [...VALID, ...INVALID];
const SHORT = ALL.filter(({ raw }) => raw.length < 1_000);

/** What is the same however the bytes were cut. */
function essence({ how, status, statusText, headers, body, keepAlive, surplus }: ReadAnswer): object {
  return how === 'failed' ? { how } : { how, status, statusText, headers, body, keepAlive, surplus };
}

const expected = ({ expect: wanted }: CorpusCase): object =>
  wanted === null ? { how: 'failed' } : { how: 'ended', status: wanted.status, body: wanted.body };

describe('the reader of answers', () => {
  it.each(ALL)('decides by RFC 9112: $name', (one) => {
    expect(readAnswer(one.raw, one)).toMatchObject(expected(one));
  });

  it.each(SHORT)('reads the same when cut at any byte: $name', (one) => {
    const whole = essence(readAnswer(one.raw, one));
    for (let cut = 1; cut < one.raw.length; cut++)
      expect(essence(readAnswer(one.raw, { ...one, cuts: [cut] }))).toEqual(whole);
    const bytes = Array.from({ length: one.raw.length }, (_, at) => at);
    expect(essence(readAnswer(one.raw, { ...one, cuts: bytes }))).toEqual(whole);
  });

  it('reads the same however it is cut', () => {
    const cutting = fc.record({
      one: fc.constantFrom(...SHORT),
      cuts: fc.array(fc.nat(300), { maxLength: 12 }),
    });
    fc.assert(
      fc.property(cutting, ({ one, cuts }) => {
        const sorted = cuts.filter((cut) => cut < one.raw.length).sort((a, b) => a - b);
        expect(essence(readAnswer(one.raw, { ...one, cuts: sorted }))).toEqual(
          essence(readAnswer(one.raw, one)),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives the chunks as they were framed, and what was in them', () => {
    const body = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(body, fc.array(fc.nat(400), { maxLength: 5 }), (chunks, cuts) => {
        const texts = chunks.map((chunk) => Buffer.from(chunk).toString('latin1'));
        const framed = texts.map((text) => `${text.length.toString(16)}\r\n${text}\r\n`);
        const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
        const raw = `${head}${framed.join('')}0\r\n\r\n`;
        const sorted = cuts.filter((cut) => cut < raw.length).sort((a, b) => a - b);
        const { body: whole, record } = readAnswer(raw, { cuts: sorted });
        expect(whole).toBe(texts.join(''));
        if (sorted.length === 0) expect(record.pieces[0]?.framed?.toString('latin1')).toBe(framed.join(''));
        for (const piece of record.pieces) {
          const text = piece.bytes.toString('latin1');
          expect(text.length).toBeGreaterThan(0);
          if (piece.endsInBlankLine) expect(text).toMatch(/\n\r?\n$/);
          if (piece.framed === null) continue;
          const again = readAnswer(`${head}${piece.framed.toString('latin1')}0\r\n\r\n`);
          expect(again).toMatchObject({ how: 'ended', body: text });
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('has no framing to relay where chunks are cut or extended, or the body is not chunked', () => {
    const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
    const framings = (raw: string, cuts: number[] = []): unknown[] =>
      readAnswer(raw, { cuts }).record.pieces.map(({ framed }) => framed?.toString('latin1') ?? null);
    expect(framings(`${head}1;a\r\nx\r\n0\r\n\r\n`)).toEqual([null]);
    expect(framings(`${head}2\r\nxy\r\n0\r\n\r\n`, [head.length + 4])).toEqual([null, null]);
    expect(framings(`${head}2\r\nxy\r\n0\r\n\r\n`, [head.length + 5])).toEqual([null]);
    expect(framings(`${head}2\r\nxy\r\n1\r\nz\r\n0\r\n\r\n`, [head.length + 7])).toEqual([
      '2\r\nxy\r\n',
      '1\r\nz\r\n',
    ]);
    expect(framings(`${head}2\r\nxy\r\n0\r\n\r\n`, [head.length])).toEqual(['2\r\nxy\r\n']);
    expect(framings('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nxy')).toEqual([null]);
  });

  it('keeps the spelling of names and every byte of values', () => {
    const { headers, statusText } = readAnswer(
      'HTTP/1.1 200 Alles \xdcberall\r\nX-Odd: \t a\tb \xe9 \r\nx-odd:\r\ncontent-length: 0\r\n\r\n',
    );
    expect(headers).toEqual(['X-Odd', 'a\tb \xe9', 'x-odd', '', 'content-length', '0']);
    expect(statusText).toBe('Alles \xdcberall');
  });

  it.each(['SSH-2.0-x', 'HTTP/2', 'HTTP/1.1 200 OK\r\na b', 'HTTP/1.1 200 OK\r\na: b\nc', 'x'])(
    'does not wait for the rest of what is no answer: %j',
    (raw) => {
      const whole = raw.includes('a b') ? `${raw}: c\r\n` : raw;
      expect(readAnswer(whole).how).toBe('failed');
    },
  );

  it('stops when nothing more is wanted', () => {
    const reader = new AnswerReader();
    reader.begin('GET');
    const calls: string[] = [];
    const bytes = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx');
    reader.read(bytes, 0, bytes.length, {
      head: () => calls.push('head') === 0,
      body: () => calls.push('body') === 0,
    });
    expect(calls).toEqual(['head']);
  });

  it('calls what is no HTTP garbage', () => {
    expect(causeOfError(new MalformedAnswer('x'))).toBe('garbage');
  });

  it('survives any bytes: an answer or a fault, and nothing else', () => {
    const alphabet = fc.constantFrom(
      'HTTP/1.1 200 \r\n',
      '\r\n',
      '\r',
      '\n',
      'a: b',
      '5',
      ';',
      ':',
      ' ',
      '\0',
      'transfer-encoding: chunked',
      '\xff',
      'content-length: 5',
    );
    fc.assert(
      fc.property(
        fc.array(alphabet, { maxLength: 20 }),
        fc.array(fc.nat(100), { maxLength: 4 }),
        (parts, cuts) => {
          const raw = parts.join('');
          const sorted = cuts.filter((cut) => cut < raw.length).sort((a, b) => a - b);
          expect(essence(readAnswer(raw, { cuts: sorted, fin: true }))).toEqual(
            essence(readAnswer(raw, { fin: true })),
          );
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
