import fc from 'fast-check';
import { priorityOf } from '../../../../src/core/admission/priority.js';

describe('the priority of a request', () => {
  it.each<[string | undefined, number | null, number]>([
    [undefined, null, 0],
    ['5', null, 5],
    ['-5', 7, -5],
    [' +3 ', null, 3],
    [undefined, -2, -2],
    // No integer: as if it were not there.
    ['1.5', 4, 4],
    ['', 4, 4],
    ['urgent', null, 0],
    ['0x10', null, 0],
    ['-9999999999', null, -1_000_000],
    [undefined, 1e300, 1_000_000],
    [undefined, Number.NaN, 0],
    [undefined, Infinity, 0],
    [undefined, 2.9, 2],
    ['99999999999999999999', 1, 1],
  ])('is, with the header %j and %j in the body, %d', (header, body, priority) => {
    expect(priorityOf(header, body)).toBe(priority);
  });

  it('is an integer in its range whatever clients send', () => {
    fc.assert(
      fc.property(fc.option(fc.string(), { nil: undefined }), fc.option(fc.double()), (header, body) => {
        const priority = priorityOf(header, body);
        return Number.isInteger(priority) && Math.abs(priority) <= 1_000_000 && !Object.is(priority, -0);
      }),
    );
  });
});
