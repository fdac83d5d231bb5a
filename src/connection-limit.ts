import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { errorBody, tooManyConnections } from './core/errors.js';
import { apiShape } from './core/request-reader.js';

/** Connections beyond the limit that are let in for these routes alone, so that probes see a router that is busy. */
const KEPT_FREE = 32;
const FREE_PATHS = /^\/(health|ready|version|metrics)\/?(\?|$)/;
/** How long a connection beyond the limit may be silent, milliseconds. */
const SILENCE_MS = 2_000;
const BEYOND = Symbol('beyond');

type Marked = Socket & { [BEYOND]?: true };

/** Counts a server's connections against `--max-connections`. */
export class ConnectionLimit {
  #open = 0;

  /** @param refused told of each connection that was closed, or whose request was refused */
  constructor(
    private readonly most: number,
    private readonly refused: () => void,
  ) {}

  follow(server: Server): void {
    const event = server instanceof TlsServer ? 'secureConnection' : 'connection';
    // Before all others who hear of it: what is closed here is nobody's.
    server.prependListener(event, (socket: Marked) => this.#opened(socket));
    server.prependListener('upgrade', (_request: IncomingMessage, socket: Marked) => {
      if (socket[BEYOND]) this.#close(socket);
    });
  }

  /** Answers a request on a connection beyond the limit; false: it has done nothing with it. */
  readonly take = (request: IncomingMessage, response: ServerResponse): boolean => {
    if (!(request.socket as Marked)[BEYOND]) return false;
    response.shouldKeepAlive = false;
    if (FREE_PATHS.test(request.url ?? '')) return false;
    this.refused();
    const error = tooManyConnections(1 + Math.floor(Math.random() * 3));
    const id = randomUUID();
    const body = errorBody(error, apiShape(request.url ?? '/'), id);
    response.writeHead(error.status, {
      ...{ 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      ...{ 'x-request-id': id, 'retry-after': String(error.retryAfter), connection: 'close' },
    });
    response.end(body);
    return true;
  };

  #opened(socket: Marked): void {
    this.#open++;
    socket.once('close', () => this.#open--);
    if (this.#open <= this.most) return;
    if (this.#open > this.most + KEPT_FREE) this.#close(socket);
    else {
      socket[BEYOND] = true;
      socket.setTimeout(SILENCE_MS, () => socket.destroy());
    }
  }

  #close(socket: Socket): void {
    this.refused();
    socket.destroy();
  }
}

/** The connections that one of the processes on the port may have. */
export const shareOfConnections = (most: number, workers: number): number => Math.ceil(most / workers);
