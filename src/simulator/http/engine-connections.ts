import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { ActiveFault } from './active-fault.js';

/** One connection to the engine. */
export interface Connection {
  /** From 1, in the order of their acceptance. */
  readonly number: number;
  requests: number;
  /** Accepted and then left alone. */
  hung: boolean;
}

/** The open connections of an engine. */
export class EngineConnections {
  private readonly open = new Map<Socket, Connection>();
  /** Accepted since the start. */
  count = 0;

  constructor(
    private readonly fault: ActiveFault,
    /** Idle time after which a connection is closed, in milliseconds. */
    private readonly keepAliveMs: number,
  ) {}

  accept(socket: Socket): void {
    this.count += 1;
    const connection = { number: this.count, requests: 0, hung: false };
    this.open.set(socket, connection);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.open.delete(socket));
    const how = this.fault.cutEarly('accept');
    if (how === 'hang') connection.hung = true;
    else if (how === 'reset') socket.resetAndDestroy();
    else if (how === 'fin') socket.destroy();
  }

  /** The connection of a request that begins; it is not idle until `rest`. */
  begin(socket: Socket): Connection {
    socket.setTimeout(0);
    const connection = this.open.get(socket) ?? { number: 0, requests: 0, hung: false };
    connection.requests += 1;
    return connection;
  }

  rest(socket: Socket): void {
    socket.setTimeout(this.keepAliveMs);
  }

  /** Closes all of them where they stand. */
  destroyAll(): void {
    for (const socket of this.open.keys()) socket.destroy();
  }

  /** Resolves when none is left. */
  async gone(): Promise<void> {
    await Promise.all([...this.open.keys()].map(async (socket) => once(socket, 'close')));
  }
}
