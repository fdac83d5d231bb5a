// Bytes for the router's port: requests nearly as they should be, one character a byte.
import fc from 'fast-check';
import { anyText, jsonWith } from './texts.mjs';

/** The model that is served. */
export const MODEL = 'm';

const method = fc.oneof(
  { weight: 30, arbitrary: fc.constant('POST') },
  fc.constantFrom(
    'GET',
    'HEAD',
    'OPTIONS',
    'DELETE',
    'TRACE',
    'CONNECT',
    'PRI',
    'post',
    '',
    'G\x00T',
    'POST ',
  ),
);
const target = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.constantFrom(
      '/v1/chat/completions',
      '/v1/completions',
      '/v1/models',
      '/health',
      '/tokenize',
    ),
  },
  fc.constantFrom(
    '*',
    '/',
    '//',
    '/../v1/models',
    '/v1/%2e%2e/sleep',
    '/sleep',
    '/v1/chat/completions?model=m',
    'http://evil/v1/models',
    'evil:80',
    '/%00',
    '/v1/\xff',
    '/a#b',
    `/${'a'.repeat(9_000)}`,
  ),
  anyText(12).map((text) => `/${text}`),
);
const version = fc.oneof(
  { weight: 60, arbitrary: fc.constant('HTTP/1.1') },
  fc.constantFrom('HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 ', 'HTTP/11', ''),
);
const field = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.constantFrom(
      'content-type: application/json',
      'connection: keep-alive',
      'connection: close',
      'accept: */*',
      'x-request-id: a',
      'host: r',
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'Content-Length: 5',
      'content-length: 0',
      'content-length:',
      'content-length: -1',
      'content-length: 1, 1',
      'transfer-encoding: chunked',
      'Transfer-Encoding : chunked',
      'transfer-encoding: gzip',
      'transfer-encoding: chunked, identity',
      'expect: 100-continue',
      'expect: 200',
      'upgrade: websocket',
      'connection: upgrade',
      'connection: content-length',
      'trailer: x',
      'te: trailers',
      ' folded: x',
      'host: a\x00b',
      'x-request-id: \x7f',
      'content-encoding: gzip',
      'range: bytes=0-1',
      'x: \rcontent-length: 3',
    ),
  },
  { weight: 1, arbitrary: fc.tuple(anyText(8), anyText(20)).map((pair) => pair.join(': ')) },
);
const json = fc.oneof(
  {
    weight: 12,
    arbitrary: fc
      .record(
        {
          model: fc.constantFrom(MODEL, MODEL, MODEL, MODEL, 'other', 7, null),
          prompt: anyText(20),
          stream: fc.constantFrom(true, false, 'x'),
        },
        { requiredKeys: ['model'] },
      )
      .map((body) => JSON.stringify(body)),
  },
  { weight: 2, arbitrary: jsonWith(['model', 'stream', 'messages'], 3).map((body) => JSON.stringify(body)) },
  { weight: 1, arbitrary: anyText(40) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 30_000 }).map((times) => '['.repeat(times)) },
);
const latin1 = (text) => Buffer.from(text).toString('latin1');
const chunked = (text, cut, bad) => {
  const body = latin1(text);
  const at = cut % (body.length + 1);
  const chunks = [body.slice(0, at), body.slice(at)].filter((part) => part !== '');
  return `${chunks.map((part) => `${part.length.toString(16)}${bad}\r\n${part}\r\n`).join('')}0\r\n\r\n`;
};
const framed = fc.oneof(
  { weight: 12, arbitrary: json.map((text) => [`content-length: ${latin1(text).length}`, latin1(text)]) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(json, fc.nat(), fc.constantFrom('', '', ';a=b', ' ', 'x', ';\n'))
      .map(([text, cut, bad]) => ['transfer-encoding: chunked', chunked(text, cut, bad)]),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(json, fc.integer({ min: -3, max: 40 }))
      .map(([text, off]) => [`content-length: ${Math.max(0, latin1(text).length + off)}`, latin1(text)]),
  },
  { weight: 1, arbitrary: fc.constant(['x-none: 1', '']) },
);
const request = fc
  .tuple(
    method,
    target,
    version,
    fc.array(field, { maxLength: 5 }),
    framed,
    fc.oneof({ weight: 60, arbitrary: fc.constant('\r\n') }, fc.constantFrom('\n', '\r')),
  )
  .map(
    ([verb, path, spoken, fields, [length, body], end]) =>
      latin1([`${verb} ${path} ${spoken}`, 'host: r', length, ...fields, '', ''].join(end)) + body,
  );
const seldom = (arbitrary) => fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, arbitrary);

/** One to three requests one after the other, with a byte more or cut somewhere. */
export const sent = fc
  .tuple(
    fc.array(request, { minLength: 1, maxLength: 3 }),
    seldom(fc.tuple(fc.nat(), fc.constantFrom('', '\x00', '\r\n', '\xff', ' ', '\n'))),
    seldom(fc.nat()),
  )
  .map(([requests, mutation, cut]) => {
    let text = requests.join('');
    if (mutation !== null) {
      const at = mutation[0] % (text.length + 1);
      text = text.slice(0, at) + mutation[1] + text.slice(at + 1);
    }
    return cut === null ? text : text.slice(0, cut % (text.length + 1));
  });
