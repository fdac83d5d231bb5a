// Requests whose end, addressee or form can be read in two ways, for the tests and for `npm run show -- D7`.
// One character a byte. Sources: RFC 9112 sections 2.2, 3, 5, 6 and 7; the known ways of request smuggling (CL.TE,
// TE.CL, TE.TE) and their disguises.

const BODY = '{"model":"m","prompt":"x"}';
const SIZE = BODY.length;
const HEX = SIZE.toString(16);

/** Follows each request that is to be refused: found at an engine, it was smuggled behind the request of that name. */
export const smuggledBehind = (name) =>
  `POST /v1/completions HTTP/1.1\r\nhost: r\r\nx-smuggled: ${name}\r\ncontent-length: ${SIZE}\r\n\r\n${BODY}`;

const chunks = (...parts) => parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('');
const CHUNKED = `${chunks(BODY)}0\r\n\r\n`;
const CLOSE = 'connection: close\r\n';

/**
 * @param path of a route that goes to an engine
 * @returns `[name, bytes]`: each must be refused with one answer, its connection closed, and nothing of it or behind it
 *   may reach an engine
 */
export function refusedRequests(path) {
  const post = (lines, body = BODY, start = `POST ${path} HTTP/1.1`) =>
    `${start}\r\nhost: r\r\ncontent-type: application/json\r\n${lines}\r\n\r\n${body}`;
  const length = `content-length: ${SIZE}`;
  const te = (value, body = CHUNKED) => post(`transfer-encoding: ${value}`, body);
  const both = (line) => post(`content-length: 4\r\n${line}`, CHUNKED);
  const line = (start) => post(length, BODY, start);
  return [
    // CL.TE and TE.CL
    ['a length and chunks', post(`${length}\r\ntransfer-encoding: chunked`, CHUNKED)],
    ['chunks and a length behind them', post(`transfer-encoding: chunked\r\ncontent-length: 4`, CHUNKED)],
    ['a length of 0 and chunks', post('content-length: 0\r\ntransfer-encoding: chunked', CHUNKED)],
    ['a length and an unknown coding', post(`${length}\r\ntransfer-encoding: x`)],
    // TE.TE
    ['xchunked', te('xchunked')],
    ['chunked in quotes', te('"chunked"')],
    ['chunked with a parameter', te('chunked;q=1')],
    ['chunked with a comma before it', te(',chunked')],
    ['chunked with a comma behind it', te('chunked,')],
    ['chunked with a NUL', te('chunked\0')],
    ['chunked behind a vertical tab', te('\x0bchunked')],
    ['chunked behind a form feed', te('\x0cchunked')],
    ['chunked behind a no-break space', te('\xa0chunked')],
    ['chunked behind a lone CR', te('\rchunked')],
    ['chunked behind a lone LF', te('\nchunked')],
    ['chunked on a folded line', te('\r\n chunked')],
    ['an empty coding', te('', BODY)],
    ['identity', te('identity', BODY)],
    ['identity, chunked', te('identity, chunked')],
    ['chunked, identity', te('chunked, identity')],
    ['gzip, chunked', te('gzip, chunked')],
    ['chunked, chunked', te('chunked, chunked')],
    ['a second header of another coding', te('chunked\r\ntransfer-encoding: x')],
    ['a first header of another coding', te('x\r\ntransfer-encoding: chunked')],
    ['a second header that says chunked again', te('chunked\r\ntransfer-encoding: chunked')],
    ['chunks with a space before the colon', both('transfer-encoding : chunked')],
    ['chunks with a tab before the colon', both('transfer-encoding\t: chunked')],
    ['chunks with a NUL before the colon', both('transfer-encoding\0: chunked')],
    ['chunks in a name that is broken by LF', both('transfer-encoding\n: chunked')],
    ['chunks behind a lone LF', both('x: y\ntransfer-encoding: chunked')],
    ['chunks behind a lone CR', both('x: y\rtransfer-encoding: chunked')],
    ['chunks behind a NUL', both('x: y\0transfer-encoding: chunked')],
    ['chunks on a line that begins with a space', both(' transfer-encoding: chunked')],
    ['chunks in HTTP/1.0', post('transfer-encoding: chunked', CHUNKED, `POST ${path} HTTP/1.0`)],
    // lengths
    ...[
      ['of nothing', ''],
      ['with a sign', `+${SIZE}`],
      ['below 0', '-1'],
      ['in hexadecimal', '0x1a'],
      ['with a fraction', `${SIZE}.0`],
      ['with an exponent', '2e1'],
      ['with a semicolon', `${SIZE};`],
      ['with a unit', `${SIZE}b`],
      ['with a space in it', '2 6'],
      ['with a NUL', `${SIZE}\0`],
      ['in other digits', '\xd9\xa5'],
      ['as a list', `${SIZE}, ${SIZE}`],
      ['as a list of two', `${SIZE}, 0`],
      ['beyond 64 bits', '18446744073709551617'],
      ['of 30 digits', '9'.repeat(30)],
      ['on a folded line', `\r\n ${SIZE}`],
    ].map(([how, value]) => [`a length ${how}`, post(`content-length: ${value}`)]),
    ['two lengths', post(`${length}\r\ncontent-length: 5`)],
    ['two lengths, the first of them 0', post(`content-length: 0\r\n${length}`)],
    ['the same length twice', post(`${length}\r\n${length}`)],
    ['a length with a space before the colon', post(`content-length : ${SIZE}`)],
    ['a length behind a lone LF', post(`x: y\n${length}`)],
    // chunks
    ...[
      ['a chunk size of nothing', `\r\n${BODY}\r\n0\r\n\r\n`],
      ['a chunk size behind a space', ` ${CHUNKED}`],
      ['a chunk size with a space behind it', `${HEX} \r\n${BODY}\r\n0\r\n\r\n`],
      ['a chunk size with a tab behind it', `${HEX}\t\r\n${BODY}\r\n0\r\n\r\n`],
      ['a chunk size with 0x', `0x${CHUNKED}`],
      ['a chunk size with a plus', `+${CHUNKED}`],
      ['a chunk size below 0', `-${CHUNKED}`],
      ['a chunk size that is no number', `${HEX}g\r\n${BODY}\r\n0\r\n\r\n`],
      ['a chunk size with an underscore', `1_a\r\n${BODY}\r\n0\r\n\r\n`],
      ['a chunk size of 64 bits', `ffffffffffffffff\r\n${BODY}`],
      ['a chunk size of 65 bits', `1${'0'.repeat(16)}\r\n${BODY}`],
      ['a chunk size that wraps to the right one', `1${'0'.repeat(14)}${HEX}\r\n${BODY}\r\n0\r\n\r\n`],
      ['a chunk size of 2 GiB and more', `80000001\r\n${BODY}`],
      ['a chunk that is longer than it says', `${HEX}\r\n${BODY}x\r\n0\r\n\r\n`],
      ['a chunk without a line end', `${HEX}\r\n${BODY}0\r\n\r\n`],
      ['chunk lines that end in LF', `${HEX}\n${BODY}\n0\n\n`],
      ['a chunk size that ends in a lone CR', `${HEX}\r${BODY}\r\n0\r\n\r\n`],
      ['a chunk that ends in LF', `${HEX}\r\n${BODY}\n0\r\n\r\n`],
      ['a chunk extension with LF', `${HEX};a=\n${BODY}\r\n0\r\n\r\n`],
      ['a chunk extension with a lone CR', `${HEX};a=\r${BODY}\r\n0\r\n\r\n`],
      ['a chunk extension with NUL', `${HEX};a=\0\r\n${BODY}\r\n0\r\n\r\n`],
      ['a chunk extension of 64 KiB', `${HEX};a=${'x'.repeat(65_536)}\r\n${BODY}\r\n0\r\n\r\n`],
      ['a last chunk that ends in LF', `${chunks(BODY)}0\n\n`],
      ['a length among the trailers', `${chunks(BODY)}0\r\ncontent-length: 4\r\n\r\n`],
      ['a coding among the trailers', `${chunks(BODY)}0\r\ntransfer-encoding: x\r\n\r\n`],
      ['a trailer that is no field', `${chunks(BODY)}0\r\nx\r\n\r\n`],
      ['a trailer with a space before the colon', `${chunks(BODY)}0\r\nx : y\r\n\r\n`],
      ['a trailer that ends in LF', `${chunks(BODY)}0\r\nx: y\n\r\n`],
      ['trailers of 64 KiB', `${chunks(BODY)}0\r\nx: ${'y'.repeat(65_536)}\r\n\r\n`],
    ].map(([how, body]) => [how, te('chunked', body)]),
    // fields
    ...[
      ['a field without a colon', 'x y'],
      ['a field without a name', ': y'],
      ['a field name with a space', 'x y: z'],
      ['a field name with brackets', 'x(y): z'],
      ['a field name beyond ASCII', 'x\xe9: z'],
      ['a field value with NUL', 'x: y\0z'],
      ['a field value with a lone CR', 'x: y\rz'],
      ['a field value with a control', 'x: y\x01z'],
      ['a field on a folded line', 'x: y\r\n z'],
      ['a field on a line that is folded by a tab', 'x: y\r\n\tz'],
    ].map(([how, field]) => [how, post(`${field}\r\n${length}`)]),
    ['line ends without CR', post(length).replaceAll('\r\n', '\n')],
    ['line ends of CR alone', post(length).replaceAll('\r\n', '\r')],
    ['an empty line of LF alone', `POST ${path} HTTP/1.1\r\nhost: r\r\n${length}\r\n\n${BODY}`],
    // hosts
    ['no host', `POST ${path} HTTP/1.1\r\n${length}\r\n\r\n${BODY}`],
    ['two hosts', post(`host: other\r\n${length}`)],
    ['the same host twice', post(`host: r\r\n${length}`)],
    ...[
      ['a list of hosts', 'r, other'],
      ['a host with a path', 'r/v1/completions'],
      ['a host with a user', 'user@r'],
      ['a host with a space', 'r other'],
      ['a host with a query', 'r?x'],
      ['a host with a fragment', 'r#x'],
      ['a host with a backslash', 'r\\x'],
      ['a host with a quote', 'r"x'],
      ['a host beyond ASCII', 'r\xe9'],
    ].map(([how, host]) => [how, `POST ${path} HTTP/1.1\r\nhost: ${host}\r\n${length}\r\n\r\n${BODY}`]),
    // first lines
    ['HTTP/0.9', `POST ${path}\r\n\r\n`],
    ['a GET of HTTP/0.9', 'GET /\r\n'],
    ['HTTP/1.2', line(`POST ${path} HTTP/1.2`)],
    ['HTTP/2.0 in words', line(`POST ${path} HTTP/2.0`)],
    ['HTTP/0.9 in words', line(`POST ${path} HTTP/0.9`)],
    ['HTTP/1.10', line(`POST ${path} HTTP/1.10`)],
    ['a version in lower case', line(`POST ${path} http/1.1`)],
    ['a version of another protocol', line(`POST ${path} ICY/1.1`)],
    ['two versions', line(`POST ${path} HTTP/1.1 HTTP/1.1`)],
    ['a method in lower case', line(`post ${path} HTTP/1.1`)],
    ['a method that nobody knows', line(`FORGE ${path} HTTP/1.1`)],
    ['a space before the method', line(` POST ${path} HTTP/1.1`)],
    ['tabs in the first line', line(`POST\t${path}\tHTTP/1.1`)],
    ['a target with a space', line(`POST ${path} x HTTP/1.1`)],
    ['a target with NUL', line(`POST ${path}\0 HTTP/1.1`)],
    ['a target with a lone CR', line(`POST ${path}\rx HTTP/1.1`)],
    ['a target with a lone LF', line(`POST ${path}\nx HTTP/1.1`)],
    ['no target', line('POST HTTP/1.1')],
    ['a target that is a host and a port', line('POST r:80 HTTP/1.1')],
    ['CONNECT', `CONNECT r:80 HTTP/1.1\r\nhost: r\r\n\r\n`],
    ['CONNECT to an address of the cloud', `CONNECT 169.254.169.254:80 HTTP/1.1\r\nhost: r\r\n\r\n`],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['bytes of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
    ['bytes of SSH', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
    ['bytes of SOCKS', '\x05\x01\x00\r\n\r\n'],
    ['a line of the PROXY protocol', `PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n${post(length)}`],
    // WebSockets
    ...[
      ['a WebSocket with a body', 'content-length: 5'],
      ['a WebSocket with chunks', 'transfer-encoding: chunked'],
      ['a WebSocket with two hosts', 'host: other'],
    ].map(([how, more]) => [
      how,
      `GET /v1/realtime?model=m HTTP/1.1\r\nhost: r\r\nupgrade: websocket\r\nconnection: Upgrade\r\n` +
        `sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${more}\r\n\r\n`,
    ]),
    ['a head of 64 KiB in one field', post(`x: ${'y'.repeat(65_536)}\r\n${length}`)],
    ['a head of 20,000 fields', post(`${'x: y\r\n'.repeat(20_000)}${length}`)],
    [
      'a target of 64 KiB',
      line(`POST ${path}${path.includes('?') ? '&' : '?'}x=${'y'.repeat(65_536)} HTTP/1.1`),
    ],
  ];
}

/**
 * @returns `[name, bytes, bodies]`: odd, and to be read in one way alone. Exactly these bodies reach engines, each with
 *   its true length, and the connection is closed behind the last answer
 */
export function understoodRequests(path) {
  const post = (lines, body = BODY, start = `POST ${path} HTTP/1.1`) =>
    `${start}\r\nhost: r\r\n${CLOSE}${lines}\r\n\r\n${body}`;
  const kept = (lines, body = BODY) => `POST ${path} HTTP/1.1\r\nhost: r\r\n${lines}\r\n\r\n${body}`;
  const length = `content-length: ${SIZE}`;
  const te = (body, value = 'chunked') => post(`transfer-encoding: ${value}`, body);
  return [
    ['two requests behind each other', kept(length) + post(length), [BODY, BODY]],
    ['a request behind chunks', kept('transfer-encoding: chunked', CHUNKED) + post(length), [BODY, BODY]],
    ['empty lines before a request', `\r\n\r\n${post(length)}`, [BODY]],
    ['a body that looks like a request', post(`content-length: ${SIZE + 2}`, ` ${BODY} `), [` ${BODY} `]],
    ['a length with zeros before it', post(`content-length: 000${SIZE}`), [BODY]],
    ['chunked in capitals', te(CHUNKED, 'CHUNKED'), [BODY]],
    ['chunked behind a tab', te(CHUNKED, '\tchunked'), [BODY]],
    ['chunks with extensions', te(`${HEX};a=b;c="d"\r\n${BODY}\r\n0;e\r\n\r\n`), [BODY]],
    ['a chunk size with zeros before it', te(`000${chunks(BODY)}000\r\n\r\n`), [BODY]],
    ['chunks of one byte', te(`${chunks(...BODY)}0\r\n\r\n`), [BODY]],
    [
      'trailers that would change the addressee',
      te(`${chunks(BODY)}0\r\nhost: other\r\nx-trailer: y\r\n\r\n`),
      [BODY],
    ],
    [
      'names with an underscore',
      post(`content_length: 4\r\ntransfer_encoding: chunked\r\n${length}`),
      [BODY],
    ],
    ['a target of another host', post(length, BODY, `POST http://169.254.169.254${path} HTTP/1.1`), [BODY]],
    ['a target with a user', post(length, BODY, `POST https://user:pass@other${path} HTTP/1.1`), [BODY]],
    ['an offer of HTTP/2', post(`${length}\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk`), [BODY]],
    [
      'an offer of HTTP/2 that is meant',
      `POST ${path} HTTP/1.1\r\nhost: r\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n` +
        `connection: Upgrade, HTTP2-Settings, close\r\n${length}\r\n\r\n${BODY}`,
      [BODY],
    ],
    ['an expectation that nobody knows', post(`${length}\r\nexpect: 200-maybe`), [BODY]],
    ['100-continue', post(`${length}\r\nexpect: 100-continue`), [BODY]],
    ['hop-by-hop names of the framing', post(`${length}\r\nconnection: content-length, host`), [BODY]],
    ['HTTP/1.0 with a length', post(length, BODY, `POST ${path} HTTP/1.0`), [BODY]],
  ];
}

/**
 * JSON that is made to cost time, memory or stack, or to reach the prototype of objects.
 * @returns `[name, body, status]` of the answer that a router before an engine of model `m` gives
 */
export function hostileBodies() {
  const deep = (depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  const objects = (depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
  const content = (value) => `{"model":"m","messages":[{"role":"user","content":${value}}]}`;
  return [
    ['a million arrays in each other', content(deep(1_000_000)), 400],
    ['a hundred thousand objects in each other', content(objects(100_000)), 400],
    ['a thousand arrays in each other', content(deep(1_000)), 200],
    [
      'a hundred thousand arrays beside each other',
      content(`[${Array(100_000).fill('[1]').join(',')}]`),
      200,
    ],
    ['arrays that never close', `{"model":"m","messages":${'['.repeat(1_000_000)}`, 400],
    ['nothing but arrays', deep(500_000), 400],
    ['a number of a million digits', `{"model":"m","n":${'9'.repeat(1_000_000)}}`, 200],
    ['an exponent beyond all numbers', '{"model":"m","n":1e999999999}', 200],
    ['a key of a million characters', `{"model":"m","${'k'.repeat(1_000_000)}":1}`, 200],
    [
      'a hundred thousand keys',
      `{${Array.from({ length: 100_000 }, (_, n) => `"k${n}":1,`).join('')}"model":"m"}`,
      200,
    ],
    ['the same key a hundred thousand times', `{${'"model":"x",'.repeat(100_000)}"model":"m"}`, 200],
    ['a model behind others of the same name', '{"model":"other","model":"m"}', 200],
    ['a prototype', '{"__proto__":{"model":"m","stream":true}}', 400],
    [
      'a prototype beside a model',
      '{"__proto__":{"x-user":"y"},"constructor":{"prototype":{"a":1}},"model":"m"}',
      200,
    ],
    ['a model that is a prototype', '{"model":"__proto__"}', 404],
    ['a model that is a constructor', '{"model":"constructor"}', 404],
    ['a model that is an object', '{"model":{"toString":"m"}}', 400],
    ['a model of a million characters', `{"model":"${'m'.repeat(1_000_000)}"}`, 404],
    ['a model with control characters', '{"model":"m\\u0000\\r\\n"}', 404],
    ['half a surrogate pair', '{"model":"\\ud800"}', 404],
    ['bytes that are no UTF-8', '{"model":"\xff\xfe"}', 404],
    ['bytes of another kind', '\0\x01\x02', 400],
    ['nothing but spaces', ' '.repeat(1_000_000), 400],
  ];
}

/** Engine routes that change or reveal an engine, in the spellings that a lenient server would read as them. */
export function disguisedPaths() {
  const routes = [
    '/metrics',
    '/sleep',
    '/v1/load_lora_adapter',
    '/collective_rpc',
    '/server_info',
    '/docs',
    '/openapi.json',
  ];
  const hex = (text) => text.replace(/[a-z]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
  const disguises = [
    (path) => `${path}?model=m`,
    (path) => hex(path),
    (path) => hex(path).toUpperCase(),
    (path) => path.replace(/[a-z]/, (letter) => `%25${letter.charCodeAt(0).toString(16)}`),
    (path) => path.replace(/[a-z]/, (letter) => `%2525${letter.charCodeAt(0).toString(16)}`),
    (path) => path.replace(/[a-z]/, (letter) => `%252525252525${letter.charCodeAt(0).toString(16)}`),
    (path) => path.toUpperCase().replace('/V1/', '/v1/'),
    (path) => `/${path}`,
    (path) => path.replaceAll('/', '//'),
    (path) => `${path}/`,
    (path) => `${path}/.`,
    (path) => `${path}/x`,
    (path) => `${path};a=b`,
    (path) => `/v1/completions/../..${path}`,
    (path) => `/v1/completions/..%2f..${path}`,
    (path) => `/v1/completions/%2e%2e/%2e%2e${path}`,
    (path) => `/v1/completions/..;/..;${path}`,
    (path) => `/x/..\\..${path}`,
    (path) => `/..${path}`,
    (path) => `/%2e%2e${path}`,
    (path) => `/.${path}`,
    (path) => `${path}%00`,
    (path) => `${path}%0a`,
    (path) => `${path}%3fx`,
    (path) => `${path}%23x`,
    (path) => `${path}%20`,
    (path) => `http://r${path}`,
    (path) => `${path.slice(0, 2)}%zz${path.slice(2)}`,
  ];
  return routes.flatMap((route) => disguises.map((disguise) => disguise(route)));
}
