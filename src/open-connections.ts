import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';

/**
 * The connections of a server and the answers under way on each. Closes idle ones in Node's place, which
 * takes an answer for sent as soon as it is written: a client that reads slowly would lose its end.
 */
export class OpenConnections {
  /** Bounded by the connections; upgraded ones are not among them. Answers of a connection: one, or those pipelined. */
  readonly #answers = new Map<Socket, ServerResponse[]>();
  /** Connections that have not spoken TLS yet, by their peers: Node closes them at their time limit alone. */
  readonly #greeting = new Map<string, Socket>();

  follow(server: Server): void {
    const answers = this.#answers;
    const secure = server instanceof TlsServer;
    server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => {
      answers.set(socket, []);
      this.#greeting.delete(peerOf(socket));
      socket.once('close', () => answers.delete(socket));
    });
    if (secure) server.on('connection', (socket: Socket) => this.#greet(socket));
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
      for (const socket of this.#greeting.values()) socket.destroy();
    };
  }

  /** Whether HTTP is spoken on a connection. */
  has(socket: Socket): boolean {
    return this.#answers.has(socket);
  }

  /** Answers on a connection that have not been sent whole. */
  answersOn(socket: Socket): readonly ServerResponse[] {
    return [...(this.#answers.get(socket) ?? [])];
  }

  #greet(socket: Socket): void {
    const peer = peerOf(socket);
    this.#greeting.set(peer, socket);
    socket.once('close', () => {
      if (this.#greeting.get(peer) === socket) this.#greeting.delete(peer);
    });
  }
}

// The socket that speaks TLS is another object than the one below it.
const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
