/** One answer of an engine as bytes, and what is to become of it. */
export interface CorpusCase {
  readonly name: string;
  readonly raw: string;
  /** Default GET. */
  readonly method?: string;
  /** The engine ends the connection behind the bytes. */
  readonly fin?: boolean;
  /** Null: the exchange fails. */
  readonly expect: { readonly status: number; readonly body: string; readonly reused: boolean } | null;
  /**
   * Why undici decides otherwise about the answer: RFC 9112 decides here. Nothing: both agree.
   */
  readonly undici?: string;
}

const ok = (
  body: string,
  reused = true,
  status = 200,
): { status: number; body: string; reused: boolean } => ({ status, body, reused });

const chunked = (body: string): string => `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${body}`;
const head = (...lines: string[]): string =>
  `HTTP/1.1 200 OK\r\n${lines.map((l) => `${l}\r\n`).join('')}\r\n`;
const long = (length: number): string => 'v'.repeat(length);

/** Answers that RFC 9112 allows. */
export const VALID: readonly CorpusCase[] = [
  { name: 'a length', raw: `${head('Content-Length: 5')}hello`, expect: ok('hello') },
  { name: 'a length of nothing', raw: head('content-length: 0'), expect: ok('') },
  { name: 'a length with leading zeros', raw: `${head('content-length: 0005')}hello`, expect: ok('hello') },
  {
    name: 'what uvicorn sends',
    raw: `${head('date: Thu, 26 Nov 2026 10:00:00 GMT', 'server: uvicorn', 'content-length: 2', 'content-type: application/json', 'vary: Origin')}{}`,
    expect: ok('{}'),
  },
  { name: 'no reason', raw: `HTTP/1.1 299 \r\ncontent-length: 1\r\n\r\nx`, expect: ok('x', true, 299) },
  {
    name: 'a reason with tabs and bytes over 127',
    raw: `HTTP/1.1 200 a\tb \xe9\r\ncontent-length: 1\r\n\r\nx`,
    expect: ok('x'),
  },
  {
    name: 'spaces and tabs around a value',
    raw: `${head('content-length: \t 5 \t', 'a:', 'b: \t')}hello`,
    expect: ok('hello'),
    undici: 'llhttp knows no tab behind a length; section 5 allows it',
  },
  {
    name: 'a value without a space before',
    raw: `${head('content-length:5', 'x:\xff\xfe')}hello`,
    expect: ok('hello'),
  },
  {
    name: 'every character of a name',
    raw: `${head("!#$%&'*+-.^_`|~09azAZ: x", 'content-length: 1')}x`,
    expect: ok('x'),
  },
  { name: 'one chunk', raw: chunked('5\r\nhello\r\n0\r\n\r\n'), expect: ok('hello') },
  {
    name: 'chunks',
    raw: chunked('5\r\nhello\r\n1\r\n \r\n00A\r\n0123456789\r\n0\r\n\r\n'),
    expect: ok('hello 0123456789'),
  },
  { name: 'no chunk', raw: chunked('0\r\n\r\n'), expect: ok('') },
  { name: 'a last chunk of many zeros', raw: chunked('1\r\nx\r\n000000\r\n\r\n'), expect: ok('x') },
  {
    name: 'chunks that look like framing',
    raw: chunked('7\r\n0\r\n\r\n5\r\r\n0\r\n\r\n'),
    expect: ok('0\r\n\r\n5\r'),
  },
  {
    name: 'chunked in capitals',
    raw: 'HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    expect: ok('x'),
  },
  { name: 'trailers', raw: chunked('1\r\nx\r\n0\r\nA: b\r\nc:\r\n\r\n'), expect: ok('x') },
  {
    name: 'chunk extensions',
    raw: chunked('1;a\r\nx\r\n1;b=c;d="e;\\"f"\r\ny\r\n0;z\r\n\r\n'),
    expect: ok('xy'),
  },
  {
    name: 'chunk extensions with spaces',
    raw: chunked('1 ; a = b\r\nx\r\n0\r\n\r\n'),
    expect: ok('x'),
    undici: 'llhttp knows no spaces before extensions; section 7.1.1 makes recipients accept them',
  },
  {
    name: 'a body up to the end of the connection',
    raw: `${head('a: b')}hello`,
    fin: true,
    expect: ok('hello', false),
  },
  { name: 'no body up to the end', raw: head('a: b'), fin: true, expect: ok('', false) },
  { name: 'no header at all', raw: `${head()}hello`, fin: true, expect: ok('hello', false) },
  {
    name: 'HTTP/1.0 up to the end',
    raw: 'HTTP/1.0 200 OK\r\n\r\nhello',
    fin: true,
    expect: ok('hello', false),
  },
  {
    name: 'HTTP/1.0 with a length',
    raw: 'HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nhello',
    expect: ok('hello', false),
  },
  {
    name: 'a length and close',
    raw: `${head('connection: close', 'content-length: 5')}hello`,
    expect: ok('hello', false),
  },
  {
    name: 'close among others',
    raw: `${head('Connection: x, Close', 'content-length: 5')}hello`,
    expect: ok('hello', false),
  },
  {
    name: 'chunks and close',
    raw: `HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
    expect: ok('x', false),
  },
  {
    name: 'keep-alive that is said',
    raw: `${head('connection: keep-alive', 'content-length: 1')}x`,
    expect: ok('x'),
  },
  { name: '204', raw: 'HTTP/1.1 204 No Content\r\na: b\r\n\r\n', expect: ok('', true, 204) },
  {
    name: '204 with a length',
    raw: 'HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n',
    expect: ok('', true, 204),
    undici: 'it misses the bytes that section 6.3, rule 1, says are not there',
  },
  { name: '304', raw: 'HTTP/1.1 304 Not Modified\r\netag: "x"\r\n\r\n', expect: ok('', true, 304) },
  {
    name: '304 with a length',
    raw: 'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n',
    expect: ok('', true, 304),
    undici: 'it misses the bytes that section 6.3, rule 1, says are not there',
  },
  {
    name: '304 with a coding',
    raw: 'HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n',
    expect: ok('', true, 304),
  },
  { name: 'HEAD with a length', method: 'HEAD', raw: head('content-length: 5'), expect: ok('', false) },
  {
    name: 'HEAD with a coding',
    method: 'HEAD',
    raw: head('transfer-encoding: chunked'),
    expect: ok('', false),
  },
  { name: 'HEAD without anything', method: 'HEAD', raw: head(), expect: ok('', false) },
  {
    name: 'HEAD with a body by mistake',
    method: 'HEAD',
    raw: `${head('content-length: 5')}hello`,
    expect: ok('', false),
  },
  {
    name: '100 before',
    raw: `HTTP/1.1 100 Continue\r\n\r\n${head('content-length: 1')}x`,
    expect: ok('x'),
    undici: 'it never asks for one; RFC 9110 section 15.2 makes clients pass over it',
  },
  {
    name: '102 before',
    raw: `HTTP/1.1 102 Processing\r\na: b\r\n\r\n${head('content-length: 1')}x`,
    expect: ok('x'),
  },
  {
    name: '103 twice before',
    raw: `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 103 \r\n\r\n${chunked('1\r\nx\r\n0\r\n\r\n')}`,
    expect: ok('x'),
  },
  {
    name: 'an error',
    raw: 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\n{}',
    expect: ok('{}', true, 503),
  },
  {
    name: 'a status beyond 599',
    raw: 'HTTP/1.1 999 \r\ncontent-length: 1\r\n\r\nx',
    expect: ok('x', true, 999),
  },
  {
    name: 'an upgrade that is offered',
    raw: `${head('upgrade: h2c', 'connection: upgrade', 'content-length: 1')}x`,
    expect: ok('x'),
  },
  { name: 'a large head', raw: `${head(`a: ${long(60_000)}`, 'content-length: 1')}x`, expect: ok('x') },
  { name: 'more bytes than the length', raw: `${head('content-length: 1')}xy`, expect: ok('x', false) },
  {
    name: 'more bytes than the chunks',
    raw: chunked('1\r\nx\r\n0\r\n\r\n\r\n'),
    expect: ok('x', false),
    undici: 'llhttp skips empty lines before an answer',
  },
  {
    name: 'a second answer',
    raw: `${head('content-length: 1')}x${head('content-length: 1')}y`,
    expect: ok('x', false),
  },
  { name: '204 with a body', raw: 'HTTP/1.1 204 \r\n\r\nhello', expect: ok('', false, 204) },
];

const wrong = (name: string, raw: string, undici?: string): CorpusCase => ({
  name,
  raw,
  fin: true,
  expect: null,
  ...(undici === undefined ? {} : { undici }),
});

/** Answers that RFC 9112 does not allow. */
export const INVALID: readonly CorpusCase[] = [
  wrong('nothing', ''),
  wrong('half a status line', 'HTTP/1.1 20'),
  wrong('half a head', 'HTTP/1.1 200 OK\r\ncontent-le'),
  wrong('a head without its end', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n'),
  wrong('no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'),
  wrong('HTTP/0.9', '<html>hello</html>'),
  wrong(
    'HTTP/2.0',
    'HTTP/2.0 200 OK\r\ncontent-length: 1\r\n\r\nx',
    'llhttp knows the version; HTTP/2 is not sent as text',
  ),
  wrong('HTTP/1.2', 'HTTP/1.2 200 OK\r\ncontent-length: 1\r\n\r\nx'),
  wrong('http in small letters', 'http/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx'),
  wrong(
    'an empty line before',
    `\r\n${head('content-length: 1')}x`,
    'llhttp skips empty lines; section 2.2 lets servers do that, not clients',
  ),
  wrong('a space before', ` ${head('content-length: 1')}x`),
  wrong('a status of two digits', 'HTTP/1.1 20 OK\r\ncontent-length: 1\r\n\r\nx'),
  wrong('a status of four digits', 'HTTP/1.1 2000 OK\r\ncontent-length: 1\r\n\r\nx'),
  wrong('a status below 100', 'HTTP/1.1 099 OK\r\ncontent-length: 1\r\n\r\nx'),
  wrong('a status of letters', 'HTTP/1.1 2OO OK\r\ncontent-length: 1\r\n\r\nx'),
  wrong(
    'no space behind the status',
    'HTTP/1.1 200\r\ncontent-length: 1\r\n\r\nx',
    'llhttp does without; section 4 makes it part of the line',
  ),
  wrong('two spaces before the status', 'HTTP/1.1  200 OK\r\ncontent-length: 1\r\n\r\nx'),
  wrong(
    'a control character in the reason',
    'HTTP/1.1 200 O\x01K\r\ncontent-length: 1\r\n\r\nx',
    'llhttp does not look; section 4 names what a reason is made of',
  ),
  wrong('a bare LF behind the status', 'HTTP/1.1 200 OK\ncontent-length: 1\r\n\r\nx'),
  wrong('bare LFs', 'HTTP/1.1 200 OK\ncontent-length: 1\n\nx'),
  wrong('a bare LF behind a header', 'HTTP/1.1 200 OK\r\ncontent-length: 1\n\r\nx'),
  wrong('a bare LF at the end', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\nx'),
  wrong('a bare CR in a value', `${head('a: b\rc', 'content-length: 1')}x`),
  wrong('a bare CR behind the status', 'HTTP/1.1 200 OK\rcontent-length: 1\r\n\r\nx'),
  wrong('NUL in a value', `${head('a: b\0c', 'content-length: 1')}x`),
  wrong('a control character in a value', `${head('a: b\x1fc', 'content-length: 1')}x`),
  wrong('DEL in a value', `${head('a: b\x7fc', 'content-length: 1')}x`),
  wrong('a folded header', `${head('a: b', ' c', 'content-length: 1')}x`),
  wrong('a fold of a tab', `${head('a: b', '\tc', 'content-length: 1')}x`),
  wrong('a space before the colon', `${head('content-length : 1')}x`),
  wrong('a space before the first name', `${head(' content-length: 1')}x`),
  wrong('an empty name', `${head(': x', 'content-length: 1')}x`),
  wrong('a name with a space', `${head('a b: x', 'content-length: 1')}x`),
  wrong('a name with a byte over 127', `${head('\xe9: x', 'content-length: 1')}x`),
  wrong('a name with brackets', `${head('a[b]: x', 'content-length: 1')}x`),
  wrong('a header without a colon', `${head('abc', 'content-length: 1')}x`),
  wrong('an empty length', `${head('content-length:')}x`),
  wrong('a negative length', `${head('content-length: -1')}x`),
  wrong('a length with a sign', `${head('content-length: +1')}x`),
  wrong('a length in hex', `${head('content-length: 0x1')}x`),
  wrong('a length with a fraction', `${head('content-length: 1.0')}x`),
  wrong('a length with a space', `${head('content-length: 1 1')}x`),
  wrong('a list of equal lengths', `${head('content-length: 1, 1')}x`),
  wrong('a list of lengths', `${head('content-length: 1, 2')}x`),
  wrong('two lengths', `${head('content-length: 1', 'content-length: 2')}x`),
  wrong('a length twice', `${head('content-length: 1', 'content-length: 1')}x`),
  wrong('a length beyond 2^64', `${head('content-length: 99999999999999999999')}x`),
  wrong(
    'a length and a coding',
    `HTTP/1.1 200 OK\r\ncontent-length: 6\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
  ),
  wrong(
    'a coding and a length',
    `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 6\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
  ),
  wrong(
    'gzip as a coding',
    `${head('transfer-encoding: gzip')}x`,
    'llhttp looks at the last coding alone, or reads to the end; the router asks for no coding and understands chunked',
  ),
  wrong(
    'gzip and chunked',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    'llhttp looks at the last coding alone, or reads to the end; the router asks for no coding and understands chunked',
  ),
  wrong(
    'chunked twice',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    'llhttp takes it for once; section 6.1 forbids it',
  ),
  wrong(
    'chunked and identity',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, identity\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    'llhttp looks at the last coding alone, or reads to the end; the router asks for no coding and understands chunked',
  ),
  wrong('identity', `${head('transfer-encoding: identity', 'content-length: 1')}x`),
  wrong(
    'xchunked',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: xchunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    'llhttp looks at the last coding alone, or reads to the end; the router asks for no coding and understands chunked',
  ),
  wrong(
    'an empty coding',
    `${head('transfer-encoding:')}x`,
    'llhttp looks at the last coding alone, or reads to the end; the router asks for no coding and understands chunked',
  ),
  wrong(
    'HTTP/1.0 with a coding',
    'HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n',
    'llhttp does not look at the version; section 6.1 calls the framing faulty',
  ),
  wrong('101', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
  wrong('101 without anything', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'),
  wrong('only 103', 'HTTP/1.1 103 Early Hints\r\n\r\n'),
  wrong('fewer bytes than the length', `${head('content-length: 5')}hell`),
  wrong('fewer bytes than the length, and close', `${head('connection: close', 'content-length: 5')}hell`),
  wrong('chunks without the last one', chunked('5\r\nhello\r\n')),
  wrong('a chunk that is cut', chunked('5\r\nhel')),
  wrong('no CRLF behind the last chunk', chunked('1\r\nx\r\n0\r\n')),
  wrong('half a CRLF behind the last chunk', chunked('1\r\nx\r\n0\r\n\r')),
  wrong('a size that is not hex', chunked('g\r\nx\r\n0\r\n\r\n')),
  wrong('a size with 0x', chunked('0x1\r\nx\r\n0\r\n\r\n')),
  wrong('a negative size', chunked('-1\r\nx\r\n0\r\n\r\n')),
  wrong('a size with a sign', chunked('+1\r\nx\r\n0\r\n\r\n')),
  wrong('no size', chunked('\r\nx\r\n0\r\n\r\n')),
  wrong('a size with a space before', chunked(' 1\r\nx\r\n0\r\n\r\n')),
  wrong('a size with a space behind', chunked('1 \r\nx\r\n0\r\n\r\n')),
  wrong('a size that overflows', chunked('fffffffffffffffff\r\nx\r\n0\r\n\r\n')),
  wrong('a size of 64 bits', chunked('ffffffffffffffff\r\nx\r\n0\r\n\r\n')),
  wrong('a size behind a bare LF', chunked('1\nx\r\n0\r\n\r\n')),
  wrong('a size behind a bare CR', chunked('1\rx\r\n0\r\n\r\n')),
  wrong('no CRLF behind a chunk', chunked('1\r\nx0\r\n\r\n')),
  wrong('a bare LF behind a chunk', chunked('1\r\nx\n0\r\n\r\n')),
  wrong('a bare CR behind a chunk', chunked('1\r\nx\r0\r\n\r\n')),
  wrong('a longer chunk than its size', chunked('1\r\nxy\r\n0\r\n\r\n')),
  wrong('a bare LF in an extension', chunked('1;a\nx\r\n0\r\n\r\n')),
  wrong('a control character in an extension', chunked('1;a\x01\r\nx\r\n0\r\n\r\n')),
  wrong('an extension without a name', chunked('1;\r\nx\r\n0\r\n\r\n')),
  wrong('an open quote in an extension', chunked('1;a="b\r\nx\r\n0\r\n\r\n')),
  wrong(
    'an extension that is too long',
    chunked(`1;${long(300)}\r\nx\r\n0\r\n\r\n`),
    'it has no limit; section 7.1.1 asks for one',
  ),
  wrong(
    'a size of too many digits',
    chunked(`${'0'.repeat(16)}1\r\nx\r\n0\r\n\r\n`),
    'llhttp limits the number and not its digits',
  ),
  wrong('a trailer without a colon', chunked('1\r\nx\r\n0\r\nabc\r\n\r\n')),
  wrong('a trailer with a bare LF', chunked('1\r\nx\r\n0\r\na: b\n\r\n')),
  wrong('a trailer that is folded', chunked('1\r\nx\r\n0\r\na: b\r\n c\r\n\r\n')),
  wrong(
    'trailers that are too large',
    chunked(`1\r\nx\r\n0\r\na: ${long(20_000)}\r\n\r\n`),
    'its limit is that of the head',
  ),
  wrong('a head that is too large', `${head(`a: ${long(70_000)}`, 'content-length: 1')}x`),
  wrong('a head of informational answers without end', 'HTTP/1.1 103 \r\n\r\n'.repeat(5_000)),
];
