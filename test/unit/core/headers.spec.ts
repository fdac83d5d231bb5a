import * as fc from 'fast-check';
import {
  announcesBody,
  answerHeaders,
  framingFault,
  headerValue,
  requestHeaders,
} from '../../../src/core/headers.js';

const client = { requestId: 'id-1', address: '10.0.0.9', protocol: 'http', trusted: false } as const;
const ours = ['X-Forwarded-For', '10.0.0.9', 'X-Forwarded-Proto', 'http', 'X-Request-Id', 'id-1'];
const HOP = [
  'Connection',
  'Keep-Alive',
  'Proxy-Connection',
  'Proxy-Authenticate',
  'Proxy-Authorization',
  'TE',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
];

const names = fc
  .stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/)
  .filter(
    (name) =>
      !/^(host|content-length|expect|x-request-id|x-forwarded-|connection|keep-alive|proxy-|te$|trailer|transfer-encoding|upgrade|access-control-)/i.test(
        name,
      ),
  );
const lines = fc.array(fc.tuple(names, fc.string()), { maxLength: 8 }).map((pairs) => pairs.flat());

describe('the headers for an engine', () => {
  it('are those that came, in their order and spelling, and the router’s', () => {
    fc.assert(
      fc.property(lines, (given) => {
        expect(requestHeaders(given, client)).toEqual([...given, ...ours]);
      }),
    );
  });

  it('leave out what belongs to the connection', () => {
    for (const name of HOP) {
      for (const written of [name, name.toLowerCase(), name.toUpperCase()]) {
        expect(requestHeaders([written, 'x', 'A', '1'], client)).toEqual(['A', '1', ...ours]);
      }
    }
    const named = [
      'X-A',
      '1',
      'connection',
      ' x-a ,, Close',
      'X-B',
      '2',
      'Connection',
      'keep-alive, X-b',
      'X-C',
      '3',
    ];
    expect(requestHeaders(named, client)).toEqual(['X-C', '3', ...ours]);
    expect(
      requestHeaders(['Content-Length', '5', 'Expect', '100-continue', 'x-request-id', 'theirs'], client),
    ).toEqual(ours);
  });

  it('say where the request came from, and believe only who is trusted', () => {
    const given = [
      'Host',
      'a.example',
      'x-forwarded-for',
      '1.1.1.1',
      'X-Forwarded-For',
      '2.2.2.2',
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      'b.example',
    ];
    expect(requestHeaders(given, client)).toEqual([
      'X-Forwarded-For',
      '10.0.0.9',
      'X-Forwarded-Proto',
      'http',
      'X-Forwarded-Host',
      'a.example',
      'X-Request-Id',
      'id-1',
    ]);
    expect(requestHeaders(given, { ...client, trusted: true })).toEqual([
      'X-Forwarded-For',
      '1.1.1.1, 2.2.2.2, 10.0.0.9',
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      'b.example',
      'X-Request-Id',
      'id-1',
    ]);
    expect(requestHeaders(['host', 'a'], { ...client, trusted: true, protocol: 'https' })).toEqual([
      'X-Forwarded-For',
      '10.0.0.9',
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-Host',
      'a',
      'X-Request-Id',
      'id-1',
    ]);
  });
});

describe('the headers for a client', () => {
  const add = { requestId: 'id-1', eventStream: false, cors: null } as const;

  it('are the engine’s, in their order and spelling, and the request id', () => {
    fc.assert(
      fc.property(lines, (given) => {
        expect(answerHeaders([...given, 'Content-Length', '5'], add)).toEqual([
          ...given,
          'Content-Length',
          '5',
          'x-request-id',
          'id-1',
        ]);
      }),
    );
    for (const name of HOP) expect(answerHeaders([name, 'x'], add)).toEqual(['x-request-id', 'id-1']);
    expect(answerHeaders(['Connection', 'x-a', 'X-A', '1', 'X-Request-ID', 'theirs'], add)).toEqual([
      'x-request-id',
      'id-1',
    ]);
    expect(answerHeaders(['Set-Cookie', 'a', 'Set-Cookie', 'b'], add)).toEqual([
      'Set-Cookie',
      'a',
      'Set-Cookie',
      'b',
      'x-request-id',
      'id-1',
    ]);
  });

  it('keep proxies from holding a stream back', () => {
    const stream = { ...add, eventStream: true };
    expect(answerHeaders([], stream)).toEqual([
      'cache-control',
      'no-cache',
      'x-accel-buffering',
      'no',
      'x-request-id',
      'id-1',
    ]);
    expect(answerHeaders(['Cache-Control', 'no-store', 'X-Accel-Buffering', 'yes'], stream)).toEqual([
      'Cache-Control',
      'no-store',
      'X-Accel-Buffering',
      'yes',
      'x-request-id',
      'id-1',
    ]);
  });

  it('hold one answer to CORS, the router’s where it gives one', () => {
    const engine = ['Access-Control-Allow-Origin', '*', 'access-control-expose-headers', 'a'];
    expect(answerHeaders(engine, add)).toEqual([...engine, 'x-request-id', 'id-1']);
    const cors = ['access-control-allow-origin', 'https://a.example', 'vary', 'Origin'];
    expect(answerHeaders(engine, { ...add, cors })).toEqual([...cors, 'x-request-id', 'id-1']);
  });
});

describe('a header', () => {
  it('is found whatever its spelling, the first of several', () => {
    expect(headerValue(['A', '1', 'Content-Type', 'x', 'content-type', 'y'], 'content-type')).toBe('x');
    expect(headerValue(['A', '1'], 'b')).toBeUndefined();
    expect(headerValue([], 'b')).toBeUndefined();
  });
});

describe('the framing of a request', () => {
  it.each<[string[], string, string | null]>([
    [['Host', 'a'], '1.1', null],
    [['host', ''], '1.1', null],
    [['Host', 'a', 'Transfer-Encoding', ' Chunked '], '1.1', null],
    [['hosT', 'a', 'Host', 'a'], '1.1', 'more than one Host header'],
    [['Host', 'a', 'host', 'b'], '1.0', 'more than one Host header'],
    [[], '1.1', 'no Host header'],
    [[], '1.0', null],
    [
      ['Host', 'a', 'transfer-encoding', 'gzip, chunked'],
      '1.1',
      'no transfer coding but chunked is understood',
    ],
    [
      ['Host', 'a', 'transfer-encoding', 'chunked', 'Transfer-Encoding', 'x'],
      '1.1',
      'no transfer coding but chunked is understood',
    ],
    [['Host', 'a', 'transfer-encoding', 'chunked'], '1.0', 'HTTP/1.0 has no transfer codings'],
    [['Host', 'a'], '2.0', 'no version of HTTP but 1.1 and 1.0 is spoken'],
    [['Host', 'a'], '0.9', 'no version of HTTP but 1.1 and 1.0 is spoken'],
  ])('of %j in version %s is doubtful because of: %s', (headers, version, fault) => {
    expect(framingFault(headers, version)).toBe(fault);
  });
});

describe('whether a request has a body', () => {
  it.each([
    [[], false],
    [['Content-Length', '0'], false],
    [['content-length', '1'], true],
    [['Transfer-Encoding', 'chunked'], true],
  ])('%j: %s', (headers, expected) => {
    expect(announcesBody(headers)).toBe(expected);
  });
});
