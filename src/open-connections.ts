import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections of a server and the answers under way on each. Closes idle ones in Node's place, which
 * takes an answer for sent as soon as it is written: a client that reads slowly would lose its end.
 */
export class OpenConnections {
  /** Bounded by the connections; upgraded ones are not among them. Answers of a connection: one, or those pipelined. */
  readonly #answers = new Map<Socket, ServerResponse[]>();

  follow(server: Server): void {
    const answers = this.#answers;
    server.on('connection', (socket: Socket) => {
      answers.set(socket, []);
      socket.once('close', () => answers.delete(socket));
    });
    server.on('upgrade', (_request, socket) => answers.delete(socket as Socket));
    function answered(this: ServerResponse): void {
      const open = answers.get(this.req.socket);
      const at = open === undefined ? -1 : open.indexOf(this);
      if (at >= 0) open!.splice(at, 1);
    }
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      answers.get(socket)?.push(response);
      response.on('close', answered);
    });
    server.closeIdleConnections = () => {
      for (const [socket, open] of answers) if (open.length === 0) socket.destroy();
    };
  }

  /** Answers on a connection that have not been sent whole. */
  answersOn(socket: Socket): readonly ServerResponse[] {
    return [...(this.#answers.get(socket) ?? [])];
  }
}
