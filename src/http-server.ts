import { randomUUID } from 'node:crypto';
import {
  STATUS_CODES,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply } from 'fastify';
import { readTextFileSync } from './config/read-text-file.js';
import type { Settings } from './config/settings.schema.js';
import { errorBody, refusedByFramework, RouterError } from './core/errors.js';
import { OpenConnections } from './open-connections.js';
import { isClosing, markClosing } from './proxy/closing-connections.js';
import type { FollowedFiles } from './security/followed-files.js';
import { tlsFiles, tlsOf } from './security/server-tls.js';

/** How often Node looks for heads that are too slow, milliseconds. */
const HEAD_CHECK_MS = 1_000;
/** How long a client that was refused has to read why, milliseconds. */
const CLOSING_MS = 1_000;

/** Our own server: Fastify with the limits of the settings and answers of our own to what is no HTTP. */
export function createHttpAdapter(settings: Settings): FastifyAdapter {
  const connections = new OpenConnections();
  const http = {
    maxHeaderSize: settings.maxHeaderSize,
    headersTimeout: settings.clientHeaderTimeout * 1_000,
    connectionsCheckingInterval: HEAD_CHECK_MS,
    // Asked where the answer can have a body.
    requireHostHeader: false,
  };
  const files = tlsFiles(settings);
  const adapter = new FastifyAdapter({
    ...(files === null ? { http } : { https: { ...http, ...tlsOptions(settings, files.paths) } }),
    // Node's clock for whole requests is blind to progress; bodies are timed by BodyIntake.
    requestTimeout: 0,
    bodyLimit: settings.maxBodySize,
    forceCloseConnections: false,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 1_024 },
    rewriteUrl: (request: { url?: string | undefined }) => targetOf(request.url ?? '/', settings.rootPath),
    clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) => {
      // Where TLS has failed nobody can read an answer.
      if (connections.has(socket)) refuse(error, socket, connections.answersOn(socket));
      else socket.destroy();
    },
    frameworkErrors: (error: Error, _request: unknown, reply: FastifyReply) => {
      const told = refusedByFramework(error.message);
      const id = randomUUID();
      void reply
        .code(400)
        .header('content-type', 'application/json')
        .header('x-request-id', id)
        .send(errorBody(told, 'other', id));
    },
  });
  const server = adapter.getInstance().server;
  // Node drops header lines beyond its count silently; the size limit is the one that holds.
  server.maxHeadersCount = 0;
  connections.follow(server);
  // Without a listener Node closes the connection, and says nothing.
  server.on('connect', (_request, socket) => refuse(new Error('CONNECT'), socket as Socket, []));
  // RFC 9110 section 10.1.1 lets a server ignore expectations that it does not know.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  return adapter;
}

function tlsOptions(settings: Settings, paths: readonly string[]) {
  return {
    ...tlsOf(paths.map(readTextFileSync)),
    handshakeTimeout: settings.clientHeaderTimeout * 1_000,
    requestCert: settings.sslCaCerts !== null,
    rejectUnauthorized: true,
  };
}

/** Lets a server that speaks TLS follow its files: new connections are made with what they hold now. */
export function followTls(server: Server, settings: Settings, followed: FollowedFiles): void {
  const files = tlsFiles(settings);
  if (files === null) return;
  const take = (texts: readonly string[]): void =>
    (server as unknown as TlsServer).setSecureContext(tlsOf(texts));
  followed.follow(files.flags, files.paths, take);
}

/** Tries a request; false: it has done nothing with it. */
export type TakeRequest = (request: IncomingMessage, response: ServerResponse) => boolean;

/** Lets `take` have each request before Fastify, which gets those that it leaves. */
export function takeFirst(server: Server, take: TakeRequest): void {
  // Fastify listens first of all; what others have added since only looks on.
  const [fastify, ...others] = server.listeners('request') as RequestListener[];
  if (fastify === undefined) return;
  server.removeAllListeners('request');
  for (const other of others) server.on('request', other);
  server.on('request', (request, response) => {
    if (!take(request, response)) fastify.call(server, request, response);
  });
}

/** Path and query of a request target: an absolute one (RFC 9112 section 3.2.2) loses its origin, ours its root path. */
function targetOf(target: string, rootPath: string): string {
  const path = target.startsWith('/') ? target : target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '') || '/';
  if (rootPath === '' || !path.startsWith(rootPath)) return path;
  const rest = path.slice(rootPath.length);
  if (rest === '' || rest.startsWith('?')) return `/${rest}`;
  return rest.startsWith('/') ? rest : path;
}

/**
 * Answers bytes that are no acceptable HTTP, and closes the connection (RFC 9112 section 9.6).
 * @param open answers on the connection that are not complete
 */
function refuse(error: NodeJS.ErrnoException, socket: Socket, open: readonly ServerResponse[]): void {
  // With TLS what still comes is an error again.
  if (error.code !== 'ECONNRESET' && isClosing(socket) && !socket.writable) return;
  // In the midst of an answer, or with answers still to come, nothing can be said.
  const spoken = open.length > 1 || open[0]?.headersSent === true;
  // What has been refused already needs no second answer: the first is on its way, and is the last.
  const complete = isClosing(socket) || (open.length === 1 && open[0]!.writableEnded);
  if (error.code === 'ECONNRESET' || !socket.writable || (spoken && !complete)) {
    socket.destroy();
    return;
  }
  // A client that is still sending would lose the answer to a reset (RFC 9112 section 9.6).
  socket.resume();
  // One that does not close its side must not keep the connection.
  setTimeout(() => socket.destroy(), CLOSING_MS).unref();
  if (complete) {
    // Node holds the first bytes of an answer back until the end of the turn.
    setImmediate(() => socket.end());
    return;
  }
  markClosing(socket);
  const told = clientError(error.code);
  const id = randomUUID();
  const body = errorBody(told, 'other', id);
  socket.end(
    `HTTP/1.1 ${told.status} ${STATUS_CODES[told.status]}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nx-request-id: ${id}\r\nconnection: close\r\n\r\n${body}`,
  );
}

function clientError(code: string | undefined): RouterError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new RouterError(431, 'headers_too_large', 'Request headers are too large (--max-header-size).');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new RouterError(
      408,
      'request_timeout',
      'Request headers did not arrive in time (--client-header-timeout).',
    );
  }
  return new RouterError(400, 'invalid_request', 'Invalid request: not well-formed HTTP.');
}
