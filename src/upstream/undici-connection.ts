import type { Socket } from 'node:net';
import type { Client, Dispatcher } from 'undici';
import type { EngineTls } from '../security/engine-access.js';
import { loadUndici } from './load-undici.js';

// vLLM closes idle connections after exactly 5 s and does not announce it: a socket older than this is
// not used again.
const IDLE_MS = 4_000;
const MAX_ANSWER_HEAD = 64 * 1024;

/**
 * One keep-alive connection of undici to an engine; carries one request at a time.
 *
 * It pauses at its socket: undici's own pause ends the process when an engine closes or resets the connection in it behind
 * an answer of HTTP/1.0. A socket that gives nothing keeps its end to itself as well.
 */
export class UndiciConnection {
  readonly #client: Client;
  #socket: Socket | null = null;
  #served = 0;
  #paused = false;

  constructor(
    origin: string,
    connectTimeoutMs: number,
    tls: EngineTls | null,
    onDisconnect: (connection: UndiciConnection) => void,
  ) {
    const undici = loadUndici();
    const connect = undici.buildConnector({
      ...tls,
      timeout: connectTimeoutMs,
      keepAlive: true,
      autoSelectFamily: true,
    });
    this.#client = new undici.Client(origin, {
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
          const read = socket.read.bind(socket);
          socket.read = (size) => (this.#paused ? null : (read(size) as unknown));
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
    this.resume();
  }

  /** Nothing more is read, beside what came in one piece with what has been. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    // In a turn of its own: undici may be in the midst of a piece.
    setImmediate(() => this.#socket?.emit('readable'));
  }

  /** Closes the socket now; a request under way ends in an error. */
  destroy(): void {
    this.#client.destroy().catch(() => undefined);
  }
}
