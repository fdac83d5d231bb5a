import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A request that has come whole to a scripted engine, and the connection on which the test answers it. */
export interface Arrival {
  readonly head: string;
  readonly body: Buffer;
  readonly socket: Socket;
  /** Its place in the list of engines. */
  readonly engine: number;
}

/** Scrapes and probes are no requests of clients. */
const PROBE = /^GET \/(metrics|v1\/models|health)[ ?]/;

/** Several engines on real sockets whose answers the test writes itself, byte by byte, one at a time. */
export class ScriptedEngines {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #arrivals: Arrival[] = [];
  readonly #events = new EventEmitter();

  static async start(count: number): Promise<ScriptedEngines> {
    const engines = new ScriptedEngines();
    for (let engine = 0; engine < count; engine++) {
      const server = createServer({ noDelay: true }, (socket) => engines.#accept(socket, engine));
      engines.#servers.push(server);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return engines;
  }

  get urls(): string[] {
    return this.#servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  /** Requests that have come and that no test has asked for. */
  get unasked(): number {
    return this.#arrivals.length;
  }

  /** Connections to the engines that are open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** The next request that comes to any of the engines; for one caller at a time. */
  async next(): Promise<Arrival> {
    if (this.#arrivals.length === 0) await once(this.#events, 'arrival');
    return this.#arrivals.shift()!;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) {
      server.close();
      if (server.listening) await once(server, 'close');
    }
  }

  #accept(socket: Socket, engine: number): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    let read = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      read = Buffer.concat([read, bytes]);
      const end = read.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = read.toString('latin1', 0, end + 4);
      const length = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1] ?? 0);
      if (read.length < end + 4 + length) return;
      const body = read.subarray(end + 4, end + 4 + length);
      read = read.subarray(end + 4 + length);
      if (PROBE.test(head)) {
        socket.write('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n');
        return;
      }
      this.#arrivals.push({ head, body, socket, engine });
      this.#events.emit('arrival');
    });
  }
}

/** An answer with its length. */
export function sized(body: string | Buffer, headers = 'content-type: application/json', status = '200 OK') {
  const bytes = Buffer.from(body as string);
  const head = `HTTP/1.1 ${status}\r\n${headers}\r\ncontent-length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}

/** The head of an answer in chunks. */
export const chunkedHead = (type: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\n\r\n`;

/** One chunk (RFC 9112 section 7.1); one of nothing is the last. */
export function chunk(bytes: string | Buffer): Buffer {
  const data = Buffer.from(bytes as string);
  return Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]);
}
