import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections of a server and the answers under way on each. Closes idle ones in Node's place, which
 * takes an answer for sent as soon as it is written: a client that reads slowly would lose its end.
 */
export class OpenConnections {
  /** Bounded by the connections; upgraded ones are not among them. */
  readonly #answers = new Map<Socket, Set<ServerResponse>>();

  follow(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.#answers.set(socket, new Set());
      socket.once('close', () => this.#answers.delete(socket));
    });
    server.on('upgrade', (_request, socket) => this.#answers.delete(socket as Socket));
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      const answers = this.#answers.get(socket);
      answers?.add(response);
      response.once('close', () => answers?.delete(response));
    });
    server.closeIdleConnections = () => {
      for (const [socket, answers] of this.#answers) if (answers.size === 0) socket.destroy();
    };
  }

  /** Answers on a connection that have not been sent whole. */
  answersOn(socket: Socket): readonly ServerResponse[] {
    return [...(this.#answers.get(socket) ?? [])];
  }
}
