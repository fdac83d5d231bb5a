import fc from 'fast-check';
import { WatchEventSplitter, WatchFormatError } from '../../../../src/core/kubernetes/watch-events.js';

const bytes = (events: readonly object[]) =>
  Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));

describe('WatchEventSplitter', () => {
  it('finds the same events however the bytes are cut', () => {
    const events = [
      { type: 'ADDED', object: { metadata: { name: 'ä€😀' } } },
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '7' } } },
      { type: 'DELETED', object: null },
    ];
    const whole = bytes(events);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: whole.length }), { maxLength: 20 }), (cuts) => {
        const splitter = new WatchEventSplitter();
        const ends = [...cuts, whole.length].sort((a, b) => a - b);
        let start = 0;
        const found = ends.flatMap((end) => {
          const part = splitter.push(whole.subarray(start, end));
          start = end;
          return part;
        });
        expect(found).toEqual(events);
      }),
    );
  });

  it('reads the status of an ERROR event, and one without a code', () => {
    const splitter = new WatchEventSplitter();
    expect(splitter.push(bytes([{ type: 'ERROR', object: { code: 410, message: 'too old' } }]))).toEqual([
      { type: 'ERROR', code: 410, message: 'too old' },
    ]);
    expect(splitter.push(bytes([{ type: 'ERROR' }]))).toEqual([{ type: 'ERROR', code: 0, message: '' }]);
  });

  it('refuses a line over the limit without waiting for its end', () => {
    const splitter = new WatchEventSplitter(100);
    splitter.push(Buffer.alloc(100, 'x'));
    expect(() => splitter.push(Buffer.from('x'))).toThrow(WatchFormatError);
  });

  it('takes any number of lines below the limit in one chunk', () => {
    const events = Array.from({ length: 50 }, () => ({ type: 'ADDED', object: {} }));
    expect(new WatchEventSplitter(100).push(bytes(events))).toHaveLength(50);
  });

  it.each(['{', '[]', 'null', '{"type":"EVIL"}', '{"type":5}', '"ADDED"'])('refuses %s', (line) => {
    expect(() => new WatchEventSplitter().push(Buffer.from(`${line}\n`))).toThrow(WatchFormatError);
  });

  it('throws nothing else on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (data) => {
        try {
          new WatchEventSplitter().push(Buffer.from(data));
        } catch (error) {
          expect(error).toBeInstanceOf(WatchFormatError);
        }
      }),
    );
  });
});
