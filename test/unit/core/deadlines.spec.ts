import fc from 'fast-check';
import { DEADLINE_HEADERS } from '../../../src/core/deadline-headers.js';
import { readDeadlines } from '../../../src/core/deadlines.js';
import { requestHeaders } from '../../../src/core/headers.js';

describe('the deadlines of a request', () => {
  it('are none where the client gives none', () => {
    expect(readDeadlines([], 5)).toBeNull();
    const others = [
      'Host',
      'r',
      'transfer-encoding',
      'chunked',
      'x-forwarded-proto',
      'a',
      'x-my-timeout-ms',
      'x',
    ];
    expect(readDeadlines(others, 5)).toBeNull();
  });

  it('are read in whatever spelling, the whole request counted from its receipt', () => {
    expect(readDeadlines(['X-Request-Timeout-MS', '250', 'A', 'b'], 1_000)).toEqual({
      endsAt: 1_250,
      connect: Infinity,
      firstByte: Infinity,
      idle: Infinity,
    });
    const all = [
      'x-connect-timeout-ms',
      '1',
      'x-first-byte-timeout-ms',
      '02',
      'x-idle-timeout-ms',
      '9999999999',
    ];
    expect(readDeadlines(all, 1_000)).toEqual({
      endsAt: Infinity,
      connect: 1,
      firstByte: 2,
      idle: 9_999_999_999,
    });
  });

  it('are the shortest of a header that comes again', () => {
    const twice = ['x-idle-timeout-ms', '300', 'X-Idle-Timeout-Ms', '200', 'x-idle-timeout-ms', '400'];
    expect(readDeadlines(twice, 0)?.idle).toBe(200);
  });

  it.each(Object.values(DEADLINE_HEADERS))('are refused when %s makes no sense, by its name', (name) => {
    for (const value of ['', '0', '-1', '1.5', '1e3', 'ten', ' 5', '5s', '10000000000', '١', 'NaN', '0x10']) {
      expect(() => readDeadlines(['a', 'b', name, value], 0)).toThrow(
        `Invalid request: header ${name} must be a whole number of milliseconds from 1 to 9999999999.`,
      );
    }
  });

  it('never come from other headers, and never throw but for their own', () => {
    const field = fc.tuple(fc.stringMatching(/^[A-Za-z-]{1,30}$/), fc.string());
    fc.assert(
      fc.property(fc.array(field), (fields) => {
        const strangers = fields.filter(([name]) => !/^x-.*-timeout-ms$/i.test(name));
        expect(readDeadlines(strangers.flat(), 0)).toBeNull();
      }),
    );
  });

  it('do not go to an engine', () => {
    const sent = requestHeaders(
      Object.values(DEADLINE_HEADERS).flatMap((name) => [name.toUpperCase(), '5']),
      { requestId: 'r', address: 'a', protocol: 'http', trusted: false },
    );
    expect(sent.join().toLowerCase()).not.toContain('timeout');
  });
});
