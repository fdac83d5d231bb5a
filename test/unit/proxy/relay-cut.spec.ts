import * as fc from 'fast-check';
import { HeldAnswer, HOLD_LIMIT } from '../../../src/proxy/held-answer.js';
import { RelayCut } from '../../../src/proxy/relay-cut.js';

const FRAMES = [
  'data: {"choices":[{"delta":{"content":"é"}}]}\n\n',
  ': keep-alive\n\n',
  'event: x\r\ndata: {"a":1}\r\n\r\n',
  'data: [DONE]\n\n',
];
const stream = fc
  .array(fc.constantFrom(...FRAMES), { minLength: 1, maxLength: 8 })
  .map((frames) => frames.join(''));
const cuts = fc.array(fc.nat(), { maxLength: 20 });

function pieces(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

describe('a relayed stream', () => {
  it('goes out byte for byte, and only up to the ends of frames', () => {
    fc.assert(
      fc.property(stream, fc.constantFrom('', 'data: unfinis'), cuts, (text, rest, places) => {
        const cut = new RelayCut(true);
        const out = pieces(Buffer.from(text + rest), places).flatMap((piece) => cut.next(piece) ?? []);
        for (const part of out) expect(part.toString('latin1')).toMatch(/\n\r?\n$/);
        expect(Buffer.concat(out).toString()).toBe(text);
        expect(cut.rest()?.toString() ?? '').toBe(rest);
        expect(cut.insideFrame).toBe(false);
      }),
    );
  });

  it('does not hold more of one frame than the limit', () => {
    const cut = new RelayCut(true);
    const half = Buffer.alloc(HOLD_LIMIT, 'x');
    expect(cut.next(half)).toBeNull();
    expect(cut.next(Buffer.from('x'))).toHaveLength(HOLD_LIMIT + 1);
    expect([cut.insideFrame, cut.rest()]).toEqual([true, null]);
    expect(cut.next(Buffer.from('y\n\n'))?.toString()).toBe('y\n\n');
    expect(cut.insideFrame).toBe(false);
  });

  it('remembers its end, where the token counts are', () => {
    const cut = new RelayCut(true);
    for (const text of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) cut.next(Buffer.from(text));
    expect(cut.ending().toString()).toBe('data: 2\n\ndata: 3\n\n');
  });
});

describe('another relayed body', () => {
  it('goes out as it comes', () => {
    const cut = new RelayCut(false);
    const piece = Buffer.from('no frame');
    expect(cut.next(piece)).toBe(piece);
    expect(cut.rest()).toBeNull();
  });
});

describe('an answer that is held back', () => {
  const sse = ['Content-Type', 'text/event-stream; charset=utf-8'];

  it('is judged the same whatever way its stream is cut', () => {
    fc.assert(
      fc.property(stream, cuts, (text, places) => {
        const held = new HeldAnswer('POST', 200, sse, 'chat');
        const verdicts: string[] = [];
        for (const piece of pieces(Buffer.from(text), places)) {
          verdicts.push(held.add(piece).kind);
          if (verdicts.at(-1) !== 'wait') break;
        }
        const decides = /\[DONE\]|choices|"a"/.exec(text)?.[0];
        expect(verdicts.at(-1)).toBe(
          decides === undefined ? 'wait' : decides === '[DONE]' ? 'fail' : 'commit',
        );
        expect(verdicts.slice(0, -1).every((kind) => kind === 'wait')).toBe(true);
        expect(
          text.startsWith(
            held
              .bytes()
              .toString()
              .replace(/\ufffd+$/, ''),
          ),
        ).toBe(true);
      }),
    );
  });

  it.each<[string, number, string[], string]>([
    ['POST', 200, sse, 'frames'],
    ['POST', 200, ['content-type', 'TEXT/EVENT-STREAM'], 'frames'],
    ['POST', 200, ['content-type', 'application/json'], 'whole'],
    [
      'POST',
      200,
      ['content-type', 'application/problem+json; charset=utf-8', 'content-length', String(HOLD_LIMIT)],
      'whole',
    ],
    ['POST', 200, ['content-type', 'application/json', 'content-length', String(HOLD_LIMIT + 1)], 'pass'],
    ['POST', 200, ['content-type', 'application/x-ndjson'], 'pass'],
    ['POST', 200, ['content-type', 'application/json-seq'], 'pass'],
    ['POST', 200, ['content-type', 'audio/wav'], 'pass'],
    ['POST', 200, [], 'pass'],
    ['POST', 200, [...sse, 'content-encoding', 'gzip'], 'pass'],
    ['HEAD', 200, sse, 'pass'],
    ['HEAD', 503, sse, 'whole'],
    ['POST', 503, ['content-encoding', 'gzip'], 'whole'],
  ])('of %s with status %i and %j is judged by %s', (method, status, headers, mode) => {
    expect(new HeldAnswer(method, status, headers, 'chat').mode).toBe(mode);
  });

  it('is held no longer than the limit', () => {
    const held = new HeldAnswer('POST', 200, ['content-type', 'application/json'], 'chat');
    expect(held.add(Buffer.alloc(HOLD_LIMIT)).kind).toBe('wait');
    expect(held.add(Buffer.alloc(1)).kind).toBe('commit');
    const comments = new HeldAnswer('POST', 200, sse, 'chat');
    expect(comments.add(Buffer.from(': c\n\n'.repeat(200_000))).kind).toBe('wait');
    expect(comments.add(Buffer.from(': c\n\n'.repeat(20_000))).kind).toBe('commit');
    expect(comments.length).toBe(1_100_000);
  });

  it('that ends without a committing frame is a failure', () => {
    const held = new HeldAnswer('POST', 200, sse, 'chat');
    held.add(Buffer.from(': keep-alive\n\ndata: {"choices":[]}\n\n'));
    expect(held.end()).toEqual({ kind: 'fail', cause: 'empty_stream' });
  });
});
