import * as fc from 'fast-check';
import {
  endsInBlankLine,
  endOfFirstFrame,
  endOfLastFrame,
  parseFrame,
} from '../../../src/core/sse-frames.js';

const lineEnd = fc.constantFrom('\n', '\r\n');
/** Frames with either line end, of lines that hold text, fields or comments. */
const frame = fc
  .tuple(
    fc.array(fc.constantFrom('data: a', 'data:b', ': c', 'event: x', 'data: \u{1f680}', ':'), {
      minLength: 1,
      maxLength: 4,
    }),
    lineEnd,
  )
  .map(([lines, end]) => lines.map((line) => line + end).join('') + end);

/** Cuts bytes at these places. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

describe('the ends of frames', () => {
  it('are found with LF and with CRLF', () => {
    for (const text of ['data: a\n\n', 'data: a\r\n\r\n', 'data: a\n\r\n', '\n\n']) {
      expect(endOfLastFrame(Buffer.from(text))).toBe(text.length);
      expect(endOfFirstFrame(Buffer.from(text), 0)).toBe(text.length);
    }
    for (const text of [
      '',
      '\n',
      'data: a',
      'data: a\n',
      'data: a\r\n',
      'data: a\r\n\r',
      'data: a\n\r',
      'a\r\r',
    ]) {
      expect(endOfLastFrame(Buffer.from(text))).toBe(0);
      expect(endOfFirstFrame(Buffer.from(text), 0)).toBe(-1);
    }
  });

  it('are the same from the front and from the back', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 5 }),
        fc.constantFrom('', 'data: cut', 'data: cut\n', ': \r'),
        (frames, rest) => {
          const bytes = Buffer.from(frames.join('') + rest);
          const ends: number[] = [];
          for (
            let at = 0, end = endOfFirstFrame(bytes, at);
            end >= 0;
            at = end, end = endOfFirstFrame(bytes, at)
          )
            ends.push(end);
          let length = 0;
          expect(ends).toEqual(frames.map((one) => (length += Buffer.byteLength(one))));
          expect(endOfLastFrame(bytes)).toBe(ends.at(-1) ?? 0);
        },
      ),
    );
  });

  it('cut the same frames out of any pieces', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (frames, cuts) => {
          let tail: Buffer = Buffer.alloc(0);
          let out = '';
          for (const piece of pieces(Buffer.from(frames.join('')), cuts)) {
            const bytes = Buffer.concat([tail, piece]);
            const end = endOfLastFrame(bytes);
            out += bytes.toString('latin1', 0, end);
            tail = bytes.subarray(end);
          }
          expect(Buffer.from(out, 'latin1').toString()).toBe(frames.join(''));
          expect(tail).toHaveLength(0);
        },
      ),
    );
  });
});

describe('a frame', () => {
  it.each([
    ['data: a', { event: null, data: 'a' }],
    ['data:a', { event: null, data: 'a' }],
    ['data:  a ', { event: null, data: ' a ' }],
    ['data:', { event: null, data: '' }],
    ['event: x\ndata: a', { event: 'x', data: 'a' }],
    ['event:x\r\ndata: a\r\ndata: b\r\n\r\n', { event: 'x', data: 'a\nb' }],
    [': comment', { event: null, data: null }],
    ['id: 1\nretry: 5', { event: null, data: null }],
    ['dataset: 1', { event: null, data: null }],
    ['', { event: null, data: null }],
  ])('of %j is read', (text, expected) => {
    expect(parseFrame(text)).toEqual(expected);
  });
});

describe('a blank line at the end', () => {
  it.each([
    ['data: a\n\n', true],
    ['data: a\r\n\r\n', true],
    ['data: a\n\r\n', true],
    ['\n\n', true],
    ['data: a\n', false],
    ['data: a\r\n', false],
    ['\n', false],
    ['', false],
    ['data: a\n\nb', false],
  ])('%j: %s', (text, expected) => {
    const bytes = Buffer.from(`\n\n${text}\n\n`);
    expect(endsInBlankLine(bytes, 2, 2 + text.length)).toBe(expected);
  });
});
