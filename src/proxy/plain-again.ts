import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Server as TlsServer } from 'node:tls';

const DROPPED = new Set(['upgrade', 'http2-settings']);

/**
 * Serves a request that offered an upgrade nobody takes as the plain request it also is: its head is put
 * back on the socket without the offer, and the socket is handed to the server anew (Node documents
 * emitting `connection` for this). Node itself gives every offer to the `upgrade` listener, body unread.
 */
export function plainAgain(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`];
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i]!;
    let value = request.rawHeaders[i + 1]!;
    if (DROPPED.has(name.toLowerCase())) continue;
    if (name.toLowerCase() === 'connection') {
      const kept = value.split(',').filter((token) => !DROPPED.has(token.trim().toLowerCase()));
      if (kept.length === 0) continue;
      value = kept.join(',');
    }
    lines.push(`${name}: ${value}`);
  }
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  socket.unshift(Buffer.concat([bytes, head]));
  // With TLS `connection` is for sockets that have not spoken it yet.
  server.emit(server instanceof TlsServer ? 'secureConnection' : 'connection', socket);
}
