// An engine on plain TCP that keeps every byte that reaches it, and the client that sends hostile bytes to a router.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** The router's own probes and scrapes are no requests of clients. */
const PROBE = /^GET \/(metrics|v1\/models|health)[ ?]/;
const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 8\r\n\r\n{"ok":1}';

/** Answers each whole request with 200; bounded by what a test sends. */
export class RecordingEngine {
  /** Whole requests, in the order in which they came. */
  requests = [];
  /** The router's own. */
  probes = [];
  #open = new Map();
  #server = createServer({ noDelay: true }, (socket) => this.#accept(socket));

  static async start() {
    const engine = new RecordingEngine();
    engine.#server.listen(0, '127.0.0.1');
    await once(engine.#server, 'listening');
    return engine;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** Bytes that are no whole request, of all connections that are open. */
  get stray() {
    return [...this.#open.values()].join('');
  }

  forget() {
    this.requests = [];
  }

  async stop() {
    for (const socket of this.#open.keys()) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(socket) {
    this.#open.set(socket, '');
    socket.on('error', () => undefined);
    socket.on('close', () => this.#open.delete(socket));
    socket.on('data', (bytes) => {
      let text = this.#open.get(socket) + bytes.toString('latin1');
      for (;;) {
        const end = text.indexOf('\r\n\r\n');
        if (end < 0) break;
        const head = text.slice(0, end + 4);
        const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1] ?? 0);
        if (text.length < end + 4 + length) break;
        (PROBE.test(head) ? this.probes : this.requests).push({
          head,
          body: text.slice(end + 4, end + 4 + length),
        });
        text = text.slice(end + 4 + length);
        socket.write(ANSWER);
      }
      this.#open.set(socket, text);
    });
  }
}

/**
 * Sends bytes to a router and reads until it closes the connection.
 * @param url `https:` speaks TLS, whatever the certificate
 * @param limitMs after which the connection counts as left open
 * @returns what came back, whether the router closed the connection, and how long that took
 */
export async function sendBytes(url, bytes, limitMs = 5_000) {
  const { hostname, port, protocol } = new URL(url);
  const at = { host: hostname, port: Number(port) };
  const tls = protocol === 'https:';
  const socket = tls
    ? connectTls({ ...at, rejectUnauthorized: false })
    : connect({ ...at, allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, tls ? 'secureConnect' : 'connect');
  const begun = performance.now();
  let answer = '';
  socket.on('data', (part) => (answer += part.toString('latin1')));
  const closed = new Promise((resolve) => {
    socket.once('end', () => resolve(true));
    socket.once('close', () => resolve(true));
  });
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(() => resolve(false), limitMs)));
  socket.write(Buffer.from(bytes, 'latin1'));
  const wasClosed = await Promise.race([closed, late]);
  clearTimeout(timer);
  socket.destroy();
  return { answer, closed: wasClosed, ms: performance.now() - begun };
}
