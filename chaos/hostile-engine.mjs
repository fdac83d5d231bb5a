// An engine that breaks HTTP in ways that the simulated one cannot. It answers probes; to each request it gives one
// of the answers below, chosen by its x-request-id. None of them is a success: whoever gets one as such was lied to.
//
//   node hostile-engine.mjs PORT MODEL,MODEL      prints {"url":...} when it listens
import { createServer } from 'node:net';
import process from 'node:process';
import { MessageReader } from '../show/http-reader.mjs';
import { STREAMED_ERROR } from './streamed-error.mjs';

const [port, models] = process.argv.slice(2);

const JSON_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n';
const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n';
const LIE =
  '{"choices":[{"index":0,"message":{"role":"assistant","content":"a lie"},"finish_reason":"stop"}]}';
const PREAMBLE =
  'data: {"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}\n\n';
const chunk = (text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const sized = (text, length = Buffer.byteLength(text)) =>
  `${JSON_HEAD}content-length: ${length}\r\n\r\n${text}`;
const fin = (bytes) => (socket) => void socket.end(bytes, 'latin1');
const stay = (bytes) => (socket) => void socket.write(bytes, 'latin1');

/** Writes the same piece again and again, every `ms`, at most `most` times or until the connection is gone. */
const again = (first, piece, ms, most) => (socket) => {
  socket.write(first, 'latin1');
  let count = 0;
  const timer = setInterval(() => {
    if (socket.destroyed || ++count > most) clearInterval(timer);
    else socket.write(piece, 'latin1');
  }, ms);
  socket.once('close', () => clearInterval(timer));
};

const ANSWERS = [
  fin('\x16\x03\x01\x02\x00TLS\x00\x00'),
  fin('HTTP/2.0 200 OK\r\n\r\n'),
  fin('HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n'),
  fin(`HTTP/1.1\r\n\r\n${LIE}`),
  fin(`${JSON_HEAD}content-length: -1\r\n\r\n${LIE}`),
  fin(`${JSON_HEAD}content-length: 5\r\ncontent-length: ${LIE.length}\r\n\r\n${LIE}`),
  fin(
    `${JSON_HEAD}content-length: ${LIE.length}\r\ntransfer-encoding: chunked\r\n\r\n${chunk(LIE)}0\r\n\r\n`,
  ),
  fin(`${JSON_HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n${LIE}\r\n0\r\n\r\n`),
  fin(`${JSON_HEAD}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n${LIE}`),
  fin(`${JSON_HEAD}transfer-encoding: chunked\r\n\r\n${chunk(LIE).slice(0, -2)}XX0\r\n\r\n`),
  fin(`${JSON_HEAD}x-bad\x00name: 1\r\ncontent-length: ${LIE.length}\r\n\r\n${LIE}`),
  fin(`${JSON_HEAD}x-fill: ${'f'.repeat(100_000)}\r\ncontent-length: ${LIE.length}\r\n\r\n${LIE}`),
  fin(sized(LIE, LIE.length + 100)),
  fin(`${STREAM_HEAD}${chunk(PREAMBLE)}`),
  fin(`${STREAM_HEAD}${chunk(PREAMBLE)}0\r\n\r\n`),
  fin(`${STREAM_HEAD}${chunk('data: [DONE]\n\n')}0\r\n\r\n`),
  fin(`${STREAM_HEAD}${chunk(STREAMED_ERROR)}0\r\n\r\n`),
  fin('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\nfoo'),
  stay(
    'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nlie',
  ),
  stay('HTTP/1.1 200'),
  stay(`${JSON_HEAD}content-length: 100000\r\n\r\n{`),
  again('', 'HTTP/1.1 100 Continue\r\n\r\n', 5, 2_000),
  again(JSON_HEAD, 'x', 40, 250),
  again(`${STREAM_HEAD}${chunk(PREAMBLE)}`, chunk(': comment\n\n'), 20, 500),
  (socket) => socket.resetAndDestroy(),
  (socket) => socket.destroy(),
  () => undefined,
];

function hash(text) {
  let value = 0x811c9dc5;
  for (const character of text) value = Math.imul(value ^ character.charCodeAt(0), 0x01000193);
  return value >>> 0;
}

const probe = (socket, path) => {
  const data = models.split(',').map((id) => ({ id, object: 'model' }));
  const text =
    path === '/v1/models'
      ? JSON.stringify({ object: 'list', data })
      : path === '/metrics'
        ? '\0 {} NaN\n'
        : '{}';
  socket.write(sized(text));
};

const server = createServer((socket) => {
  let head = null;
  const reader = new MessageReader({
    isAnswer: false,
    onHead: (given) => (head = given),
    onBody: () => undefined,
    onEnd: () => {
      const [method, path] = head.first.split(' ');
      if (method === 'GET') return probe(socket, path);
      return ANSWERS[hash(head.headers.get('x-request-id') ?? '') % ANSWERS.length](socket);
    },
  });
  socket.on('data', (bytes) => reader.push(bytes));
  socket.on('error', () => socket.destroy());
}).listen(Number(port), '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
});
