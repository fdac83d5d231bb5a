// A light HTTP/1.1 client over raw sockets: hundreds of streams at once cost it little, so that the router and
// not the client is what a show measures. Keep-alive, one request at a time on a connection.
import { connect } from 'node:net';
import { MessageReader } from './http-reader.mjs';

/** Large bodies go out in slices, so that one of them does not hold up the others of this process. */
const SLICE = 256 * 1024;

/** One read buffer for all connections: what is read is handled before the next read. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);

/**
 * @typedef {{ status: number, headers: Map<string, string>, body: Buffer, ms: number }} Answer
 * @typedef {{ answer: Promise<Answer>, leave: (how?: 'fin' | 'reset') => void }} Exchange
 * @typedef {{ method?: string, path: string, headers?: Record<string, string>, body?: string | Buffer,
 *   chunked?: boolean, onHead?: (status: number) => void, onBody?: (bytes: Buffer) => void }} Request
 */

class Connection {
  #socket;
  #exchange = null;
  #reader;
  closed = false;

  constructor(host, port, onIdle, onClosed) {
    this.onIdle = onIdle;
    this.#reader = new MessageReader({
      isAnswer: true,
      onHead: ({ first, headers }) => this.#exchange?.head(Number(first.slice(9, 12)), headers),
      onBody: (bytes) => this.#exchange?.bytes(bytes),
      onEnd: () => this.#done(),
    });
    const onread = {
      buffer: READ_BUFFER,
      callback: (length, buffer) => {
        this.#reader.push(buffer.subarray(0, length));
        return true;
      },
    };
    this.#socket = connect({ host, port, onread, noDelay: true });
    this.#socket.on('error', (error) => this.#lost(error.message));
    this.#socket.on('close', () => {
      this.closed = true;
      if (!this.#reader.close()) this.#lost('the connection was closed');
      onClosed(this);
    });
    this.#socket.resume();
  }

  send(exchange, head, body, chunked) {
    this.#exchange = exchange;
    this.#socket.ref();
    if (body.length <= SLICE && !chunked) {
      this.#socket.write(body.length === 0 ? head : Buffer.concat([Buffer.from(head, 'latin1'), body]));
      return;
    }
    this.#socket.write(head, 'latin1');
    this.#pump(exchange, body, 0, chunked);
  }

  leave(how) {
    if (how === 'reset') this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  #pump(exchange, body, from, chunked) {
    let at = from;
    if (this.closed || this.#exchange !== exchange) return;
    if (at < body.length) {
      // Uneven pieces, so that chunk borders fall anywhere.
      const slice = body.subarray(at, at + (chunked ? 1 + ((at * 7919) % 50_000) : SLICE));
      at += slice.length;
      if (chunked) this.#socket.write(`${slice.length.toString(16)}\r\n`);
      // In a turn of its own: a peer that reads as fast as this writes would keep the event loop here for long.
      const next = () => setImmediate(() => this.#pump(exchange, body, at, chunked));
      this.#socket.write(slice, chunked ? undefined : next);
      if (chunked) this.#socket.write('\r\n', next);
    } else if (chunked) this.#socket.write('0\r\n\r\n');
  }

  #done() {
    const exchange = this.#exchange;
    this.#exchange = null;
    exchange?.end();
    if (exchange?.keepAlive && !this.closed) {
      // An idle connection does not keep the show's process alive.
      this.#socket.unref();
      this.onIdle(this);
    } else this.#socket.destroy();
  }

  #lost(why) {
    const exchange = this.#exchange;
    this.#exchange = null;
    exchange?.fail(why);
  }
}

/** Sends requests to one server over as many connections as are needed at once. */
export class LoadClient {
  #idle = [];

  /** @param {string} url base URL, http */
  constructor(url) {
    const { hostname, port, host } = new URL(url);
    this.host = hostname;
    this.port = Number(port);
    this.authority = host;
  }

  /**
   * Sends a request at once. `answer` rejects when the connection ends before the answer does. Bytes given
   * to `onBody` are valid during the call only; without it they are collected in the answer.
   * @param {Request} request
   * @returns {Exchange}
   */
  request({ method, path, headers = {}, body = '', chunked = false, onHead, onBody }) {
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const verb = method ?? (bytes.length > 0 ? 'POST' : 'GET');
    const lines = [`${verb} ${path} HTTP/1.1`, `host: ${this.authority}`];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    if (bytes.length > 0 && headers['content-type'] === undefined)
      lines.push('content-type: application/json');
    if (chunked) lines.push('transfer-encoding: chunked');
    else if (verb !== 'GET') lines.push(`content-length: ${bytes.length}`);

    const connection = this.#idle.pop() ?? this.#connect();
    const sentAt = performance.now();
    const collected = [];
    let status = 0;
    let answerHeaders = new Map();
    let count = 0;
    const answer = new Promise((resolve, reject) => {
      const exchange = {
        keepAlive: true,
        head: (value, fields) => {
          status = value;
          answerHeaders = fields;
          exchange.keepAlive = !/close/i.test(fields.get('connection') ?? '');
          onHead?.(value);
        },
        bytes: (chunk) => {
          count += chunk.length;
          if (onBody === undefined) collected.push(Buffer.from(chunk));
          else onBody(chunk);
        },
        end: () =>
          resolve({
            status,
            headers: answerHeaders,
            body: Buffer.concat(collected),
            ms: performance.now() - sentAt,
          }),
        fail: (why) =>
          reject(new Error(`${why} after ${status === 0 ? 'nothing' : `${status} and ${count} bytes`}`)),
      };
      connection.send(exchange, `${lines.join('\r\n')}\r\n\r\n`, bytes, chunked);
    });
    return { answer, leave: (how = 'fin') => connection.leave(how) };
  }

  #connect() {
    return new Connection(
      this.host,
      this.port,
      (connection) => this.#idle.push(connection),
      (connection) => {
        const at = this.#idle.indexOf(connection);
        if (at >= 0) this.#idle.splice(at, 1);
      },
    );
  }
}

/** Counts the complete server-sent events of a stream and knows whether it ended in `[DONE]` and held an error. */
export class StreamTally {
  #tail = '';
  frames = 0;
  done = false;
  error = null;

  add(bytes) {
    const text = this.#tail + bytes.toString('latin1');
    const parts = text.split('\n\n');
    this.#tail = parts.pop() ?? '';
    for (const part of parts) {
      this.frames += 1;
      if (part === 'data: [DONE]') this.done = true;
      else if (part.startsWith('data: {"error"')) this.error = part;
    }
  }
}
