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
    const answers = this.#answers;
    function answered(this: ServerResponse): void {
      answers.get(this.req.socket)?.delete(this);
    }
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      answers.get(socket)?.add(response);
      response.on('close', answered);
    });
    server.closeIdleConnections = () => {
      for (const [socket, open] of answers) if (open.size === 0) socket.destroy();
    };
  }

  /** Answers on a connection that have not been sent whole. */
  answersOn(socket: Socket): readonly ServerResponse[] {
    return [...(this.#answers.get(socket) ?? [])];
  }
}
