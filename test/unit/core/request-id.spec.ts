import * as fc from 'fast-check';
import { sanitiseRequestId } from '../../../src/core/request-id.js';
import { anyText } from '../../support/any-text.js';

describe('a request id of a client', () => {
  it.each<[string | undefined, string | null]>([
    [undefined, null],
    ['', null],
    ['abc', 'abc'],
    ['A-1_b.c:d/e+f=g@h', 'A-1_b.c:d/e+f=g@h'],
    ['a b', 'ab'],
    ['a\r\nSet-Cookie: b', 'aSet-Cookie:b'],
    ['"<>', null],
    ['\u{1f680}', null],
    ['x'.repeat(128), 'x'.repeat(128)],
    ['x'.repeat(129), 'x'.repeat(128)],
    [`${' '.repeat(100)}x`, 'x'],
    [`${' '.repeat(600)}x`, null],
  ])('%j becomes %j', (given, id) => {
    expect(sanitiseRequestId(given)).toBe(id);
  });

  it('is safe in headers and logs, and stays when it is cleaned again', () => {
    fc.assert(
      fc.property(anyText(), (given) => {
        const id = sanitiseRequestId(given);
        if (id === null) return;
        expect(id).toMatch(/^[A-Za-z0-9._:/+=@-]{1,128}$/);
        expect(sanitiseRequestId(id)).toBe(id);
      }),
    );
  });
});
