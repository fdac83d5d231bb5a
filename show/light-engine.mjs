// A very light engine as a process of its own, over raw sockets: it paces hundreds of streams with one timer and
// takes 100 MiB bodies cheaply, so that the router is what a show measures. It knows no vLLM but the frames.
//
//   node light-engine.mjs [--port 0] [--model light] [--interval 20]      prints {"url":...} when it listens
//
// POST, body up to 64 KiB, {"stream":true,"max_tokens":N}: N frames, one per interval, each with its number and the
// clock of clock.mjs in its text: "@000012:0001234567890123"; then [DONE]. {"hold":true}: no answer, ever.
// POST, larger body: the answer names its SHA-256. Header x-light-echo (length|chunked): the answer is the body.
// GET /light/requests: what became of each request, by its x-request-id.
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { nowMicros } from './clock.mjs';
import { MessageReader } from './http-reader.mjs';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    model: { type: 'string', default: 'light' },
    interval: { type: 'string', default: '20' },
  },
});
const INTERVAL = Number(values.interval);
const SMALL = 64 * 1024;
/** Requests remembered; a show makes far fewer. */
const REMEMBERED = 10_000;

/** What became of the requests, oldest first. */
const seen = [];
/** Streams under way, by the millisecond of the interval in which their frames are due. */
const slots = Array.from({ length: INTERVAL }, () => new Set());
let turnsDone = Math.floor(performance.now());

const HEAD =
  'HTTP/1.1 200 OK\r\nserver: light\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n';
const chunk = (text) => `${text.length.toString(16)}\r\n${text}\r\n`;
const frame = (delta, finish) =>
  `data: {"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1795351837,"model":"${values.model}",` +
  `"choices":[{"index":0,"delta":${delta},"logprobs":null,"finish_reason":${finish}}]}\n\n`;
const ROLE_CHUNK = chunk(frame('{"role":"assistant","content":""}', 'null'));
const END = `${chunk('data: [DONE]\n\n')}0\r\n\r\n`;
const TEXT_LENGTH = '@000000:0000000000000000'.length;
const [before, after] = frame(`{"content":"${'#'.repeat(TEXT_LENGTH)}"}`, 'null').split(
  '#'.repeat(TEXT_LENGTH),
);
const CHUNK_HEAD = `${(before.length + TEXT_LENGTH + after.length).toString(16)}\r\n${before}`;
const CHUNK_TAIL = `${after}\r\n`;

function step(stream, slot) {
  const number = String(stream.sent).padStart(6, '0');
  stream.sent += 1;
  const text = `@${number}:${String(nowMicros()).padStart(16, '0')}`;
  const bytes = `${CHUNK_HEAD}${text}${CHUNK_TAIL}`;
  if (stream.sent < stream.tokens) {
    stream.socket.write(bytes, 'latin1');
    return;
  }
  slot.delete(stream);
  stream.socket.write(bytes + END, 'latin1');
  stream.over();
}

/** Does every millisecond that has passed since the last turn: a late turn is caught up with. */
function turn() {
  const now = Math.floor(performance.now());
  for (; turnsDone < now; turnsDone += 1) {
    const slot = slots[turnsDone % INTERVAL];
    for (const stream of slot) step(stream, slot);
  }
}
setInterval(turn, 1);

function answer(socket, status, text, type = 'application/json') {
  const length = Buffer.byteLength(text);
  socket.write(
    `HTTP/1.1 ${status} OK\r\nserver: light\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\n\r\n${text}`,
  );
}

function get(socket, path) {
  const now = nowMicros();
  if (path === '/v1/models') {
    answer(socket, 200, JSON.stringify({ object: 'list', data: [{ id: values.model, object: 'model' }] }));
  } else if (path === '/light/requests') answer(socket, 200, JSON.stringify({ now, requests: seen }));
  else if (path === '/metrics') {
    const open = seen.filter(({ closedAt }) => closedAt === null).length;
    answer(socket, 200, `vllm:num_requests_running{model_name="${values.model}"} ${open}\n`, 'text/plain');
  } else answer(socket, 200, '{}');
}

/** Sends the body back as it came. */
function echo(socket, pieces, sha256, how) {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const framing = how === 'chunked' ? 'transfer-encoding: chunked' : `content-length: ${length}`;
  socket.write(
    `HTTP/1.1 200 OK\r\nserver: light\r\ncontent-type: application/json\r\nx-body-sha256: ${sha256}\r\n${framing}\r\n\r\n`,
  );
  for (const piece of pieces) {
    if (how === 'chunked') socket.write(`${piece.length.toString(16)}\r\n`);
    socket.write(piece);
    if (how === 'chunked') socket.write('\r\n');
  }
  if (how === 'chunked') socket.write('0\r\n\r\n');
}

function serve(socket) {
  let head = null;
  let entry = null;
  let stream = null;
  let hash = null;
  let pieces = [];
  const over = (ended) => {
    if (entry === null) return;
    entry.closedAt = nowMicros();
    entry.ended = ended;
    entry = null;
    if (stream !== null) for (const slot of slots) slot.delete(stream);
    stream = null;
  };

  const startStream = (body) => {
    stream = { socket, sent: 0, tokens: body.max_tokens ?? 16, over: () => over('done') };
    socket.write(HEAD + ROLE_CHUNK, 'latin1');
    // The first token follows at once, the others one interval apart.
    slots[Math.floor(performance.now()) % INTERVAL].add(stream);
  };

  const post = () => {
    const sha256 = hash.digest('hex');
    entry.sha256 = sha256;
    const how = head.headers.get('x-light-echo');
    if (how !== undefined) {
      echo(socket, pieces, sha256, how);
      return over('done');
    }
    if (entry.bytes > SMALL) {
      const choices = [{ index: 0, message: { role: 'assistant', content: sha256 }, finish_reason: 'stop' }];
      answer(socket, 200, JSON.stringify({ object: 'chat.completion', choices }));
      return over('done');
    }
    const body = JSON.parse(Buffer.concat(pieces).toString());
    if (body.hold === true) return undefined;
    if (body.stream === true) return startStream(body);
    answer(socket, 200, JSON.stringify({ object: 'chat.completion', choices: [], sha256 }));
    return over('done');
  };

  const reader = new MessageReader({
    isAnswer: false,
    onHead: (given) => {
      head = given;
      if (head.first.startsWith('GET ')) return;
      pieces = [];
      hash = createHash('sha256');
      entry = {
        id: head.headers.get('x-request-id') ?? '',
        openedAt: nowMicros(),
        bytes: 0,
        sha256: null,
        closedAt: null,
        ended: null,
      };
      if (seen.push(entry) > REMEMBERED) seen.shift();
    },
    onBody: (bytes) => {
      entry.bytes += bytes.length;
      hash.update(bytes);
      if (entry.bytes <= SMALL || head.headers.has('x-light-echo')) pieces.push(Buffer.from(bytes));
      else pieces = [];
    },
    onEnd: () => {
      const [method, path] = head.first.split(' ');
      if (method === 'GET') get(socket, path);
      else post();
    },
  });

  socket.setNoDelay(true);
  socket.on('data', (bytes) => reader.push(bytes));
  socket.on('error', () => socket.destroy());
  // vLLM takes a half-close for a client that has left.
  socket.on('end', () => over('left'));
  socket.on('close', () => over('left'));
}

const server = createServer(serve).listen(Number(values.port), '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }));
});
