import type { Socket } from 'node:net';
import { buildConnector, Client, type Dispatcher } from 'undici';

// vLLM closes idle connections after exactly 5 s and does not announce it: a socket older than this is
// not used again.
const IDLE_MS = 4_000;
const MAX_ANSWER_HEAD = 64 * 1024;

/** One keep-alive connection to an engine; carries one request at a time. */
export class Connection {
  readonly #client: Client;
  #socket: Socket | null = null;
  #served = 0;

  constructor(origin: string, connectTimeoutMs: number, onDisconnect: (connection: Connection) => void) {
    const connect = buildConnector({ timeout: connectTimeoutMs, keepAlive: true, autoSelectFamily: true });
    this.#client = new Client(origin, {
      pipelining: 1,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      maxHeaderSize: MAX_ANSWER_HEAD,
      allowH2: false,
      connect: (options, callback) =>
        connect(options, (error, socket) => {
          if (error) {
            callback(error, null);
            return;
          }
          this.#socket = socket;
          this.#served = 0;
          callback(null, socket);
        }),
    });
    this.#client.on('disconnect', () => {
      this.#socket = null;
      onDisconnect(this);
    });
  }

  /** The next request goes over a socket that has carried one before: the engine may be closing it. */
  get reused(): boolean {
    return this.#socket !== null && this.#served > 0;
  }

  /** Bytes that the engine has sent on the present socket. */
  get bytesRead(): number {
    return this.#socket?.bytesRead ?? 0;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#client.dispatch(options, handler);
  }

  served(): void {
    this.#served++;
  }

  /** Closes the socket now; a request under way ends in an error. */
  destroy(): void {
    this.#client.destroy().catch(() => undefined);
  }
}

/**
 * The connections to one engine. A request takes an idle one, the most recently used first, or a new
 * one; there is no queue. Bounded by the requests in flight: idle ones close after 4 s.
 */
export class ConnectionPool {
  readonly #idle: Connection[] = [];
  #closed = false;

  constructor(
    private readonly origin: string,
    private readonly connectTimeoutMs: () => number,
  ) {}

  /** @param fresh take a new connection even when an idle one is there */
  acquire(fresh: boolean): Connection {
    const idle = fresh ? undefined : this.#idle.pop();
    return idle ?? new Connection(this.origin, this.connectTimeoutMs(), (gone) => this.#forget(gone));
  }

  /** Gives back a connection whose exchange has ended well. */
  release(connection: Connection): void {
    connection.served();
    if (this.#closed) connection.destroy();
    else this.#idle.push(connection);
  }

  /** Closes idle connections; those in use close when they are given back. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  #forget(connection: Connection): void {
    const at = this.#idle.indexOf(connection);
    if (at < 0) return;
    this.#idle.splice(at, 1);
    connection.destroy();
  }
}
