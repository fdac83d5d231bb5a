import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import type { RequestHandler } from 'http-proxy-middleware';
import { SettingsStore } from '../config/settings-store.js';
import type { AttemptOutcome } from '../core/attempt-event.js';
import { withEngineKey, withoutCredentials } from '../core/access/credentials.js';
import { causeOfError } from '../core/attempt-failure.js';
import type { Engine } from '../core/engine.js';
import {
  badFraming,
  errorBody,
  modelRequired,
  routeNotFound,
  RouterError,
  shuttingDown,
} from '../core/errors.js';
import { announcesBody, framingFault, headerValue, requestHeaders } from '../core/headers.js';
import type { RequestFacts } from '../core/request-facts.js';
import { sanitiseRequestId } from '../core/request-id.js';
import { FleetService } from '../discovery/fleet.service.js';
import { HealthService } from '../health/health.service.js';
import { RouterMetrics } from '../metrics/router-metrics.js';
import { RoutingService } from '../routing/routing.service.js';
import { AccessControl } from '../security/access-control.js';
import { EngineAccess, type EngineTls } from '../security/engine-access.js';
import { AttemptListeners } from './attempt-listeners.js';
import { CandidatesService } from './candidates.service.js';
import { DrainState } from './drain-state.js';
import { plainAgain } from './plain-again.js';
import { TrustedPeers } from './trusted-peers.js';

const PATH = '/v1/realtime';

interface OpenSocket {
  readonly engine: Engine;
  /** It is closed after a while, unless its engine is of the fleet again. */
  ending: boolean;
}

/** WebSocket connections (`GET /v1/realtime`): each goes to the best-ranked engine and stays there. */
@Injectable()
export class RealtimeGateway implements BeforeApplicationShutdown {
  readonly #log = new Logger(RealtimeGateway.name);
  /** Open sockets; bounded by the connections of the server. */
  readonly #sockets = new Map<Duplex, OpenSocket>();

  constructor(
    private readonly fleet: FleetService,
    private readonly candidates: CandidatesService,
    private readonly routing: RoutingService,
    private readonly listeners: AttemptListeners,
    private readonly health: HealthService,
    private readonly metrics: RouterMetrics,
    private readonly drain: DrainState,
    private readonly settings: SettingsStore,
    private readonly access: AccessControl,
    private readonly engineAccess: EngineAccess,
  ) {
    fleet.onChange(() => this.#endLeft());
  }

  /** Open WebSocket connections. */
  get size(): number {
    return this.#sockets.size;
  }

  attach(server: Server): void {
    server.on('upgrade', (request, socket, head) => this.#upgrade(server, request, socket, head));
  }

  /** Node does not count upgraded sockets among the server's, and would wait for them without end. */
  beforeApplicationShutdown(): void {
    this.closeAll();
  }

  /** Ends all connections, at the end of a shutdown. */
  closeAll(): void {
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  #upgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    // Some clients (Java's among them) offer h2c with every request; RFC 9110 7.8 lets a server ignore it.
    if (!/^websocket$/i.test(request.headers.upgrade ?? '')) {
      plainAgain(server, request, socket, head);
      return;
    }
    const id = sanitiseRequestId(request.headers['x-request-id'] as string | undefined) ?? randomUUID();
    try {
      this.#connect(request, socket, head, id);
    } catch (error) {
      const told =
        error instanceof RouterError ? error : new RouterError(500, 'internal_error', 'The router failed.');
      this.metrics.rejected(told.code);
      refuse(socket, told, id);
    }
  }

  #connect(request: IncomingMessage, socket: Duplex, head: Buffer, id: string): void {
    const { rawHeaders, httpVersion } = request;
    const fault = framingFault(rawHeaders, httpVersion);
    if (fault !== null) throw badFraming(fault);
    // What follows the head is the WebSocket's, and no body.
    if (announcesBody(rawHeaders)) throw badFraming('a WebSocket request with a body');
    const refused = this.access.clientRefusal(request);
    if (refused !== null) throw refused;
    if (this.drain.draining) throw shuttingDown();
    const { rootPath } = this.settings.current;
    const target =
      rootPath !== '' && request.url?.startsWith(`${rootPath}/`)
        ? request.url.slice(rootPath.length)
        : request.url;
    const url = new URL(target ?? '/', 'http://router');
    if (url.pathname !== PATH) throw routeNotFound();
    const facts = this.#facts(id, url, request);
    const ranking = this.routing.rank(facts, this.candidates.select(facts.model, performance.now()));
    const engine = ranking[0]!.candidate.engine;
    const at = performance.now();
    const base = { request: facts, engine, attempt: 1 };
    this.listeners.observe({ ...base, type: 'dispatched', at });
    this.#sockets.set(socket, { engine, ending: false });
    let outcome: AttemptOutcome = 'done';
    let cause: string | null = null;
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const now = performance.now();
      const usage = null;
      const end = {
        type: 'finished',
        at: now,
        sinceDispatch: now - at,
        status: null,
        outcome,
        usage,
        cause,
      } as const;
      this.listeners.observe({ ...base, ...end });
    });
    request.url = target ?? '/';
    this.#forwarded(request, id);
    this.#showKey(request, engine);
    const failed = (error: Error): void => {
      outcome = 'failed';
      const found = causeOfError(error);
      cause = found;
      this.#log.warn(`realtime connection ${id} to ${engine.url} failed: ${error.message}`);
      this.health.failed(engine, found, at, performance.now());
      refuse(socket, new RouterError(502, 'engine_unreachable', 'The engine could not be reached.'), id);
    };
    // Until the middleware listens, a socket that fails would end the process.
    socket.on('error', () => undefined);
    proxyTo(engine, this.engineAccess.tls, failed)
      .then((proxy) => {
        if (!socket.destroyed) proxy.upgrade(request, socket as never, head);
      })
      .catch((error: unknown) => failed(error as Error));
  }

  /** Sockets of engines that have left the fleet are closed in time; they are none of the watched requests. */
  #endLeft(): void {
    for (const [socket, open] of this.#sockets) {
      if (open.ending || this.fleet.current.byId(open.engine.id) !== undefined) continue;
      open.ending = true;
      const later = setTimeout(() => {
        open.ending = false;
        if (this.fleet.current.byId(open.engine.id) === undefined) socket.destroy();
      }, this.settings.current.engineDrainTimeout * 1_000);
      later.unref();
      socket.once('close', () => clearTimeout(later));
    }
  }

  #facts(id: string, url: URL, request: IncomingMessage): RequestFacts {
    const { modelIds } = this.fleet.current;
    const model = url.searchParams.get('model') ?? (modelIds.length === 1 ? modelIds[0]! : null);
    if (model === null || model === '') throw modelRequired();
    const { sessionKey } = this.settings.current;
    const header = sessionKey === null ? undefined : request.headers[sessionKey.toLowerCase()];
    const session = (Array.isArray(header) ? header[0] : header) ?? null;
    return { id, path: PATH, shape: 'other', model, stream: true, session };
  }

  /** The same X-Forwarded-* and x-request-id that relayed requests carry. */
  #forwarded(request: IncomingMessage, id: string): void {
    const address = request.socket.remoteAddress ?? 'unknown';
    const trusted = new TrustedPeers(this.settings.current.trustedProxies).has(address);
    const protocol = 'encrypted' in request.socket ? 'https' : 'http';
    const headers = requestHeaders(request.rawHeaders, { requestId: id, address, protocol, trusted });
    for (const name of ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-request-id']) {
      request.headers[name] = headerValue(headers, name);
    }
  }

  /** The client's key goes on, or that of the engine in its place, by the same rules as with relayed requests. */
  #showKey(request: IncomingMessage, engine: Engine): void {
    const keepClients = this.settings.current.forwardClientKey;
    const shown =
      this.access.asksForKeys && !keepClients ? withoutCredentials(request.rawHeaders) : request.rawHeaders;
    const headers = withEngineKey(shown, this.engineAccess.keyOf(engine.url), keepClients);
    for (const name of ['authorization', 'x-api-key']) {
      const value = headerValue(headers, name);
      if (value === undefined) delete request.headers[name];
      else request.headers[name] = value;
    }
  }
}

/** The middleware is loaded for the first WebSocket: most routers see none. */
async function proxyTo(
  engine: Engine,
  tls: EngineTls | null,
  onError: (error: Error) => void,
): Promise<RequestHandler> {
  const { createProxyMiddleware } = await import('http-proxy-middleware');
  return createProxyMiddleware({
    target: engine.url,
    changeOrigin: true,
    // The middleware writes into what it is given.
    ...(tls === null ? {} : { ssl: { ...tls } }),
    // The default plugins answer errors and log in their own way.
    ejectPlugins: true,
    plugins: [(proxy) => void proxy.on('error', (error) => onError(error))],
  });
}

/** Answers an upgrade request that is not taken, and closes (RFC 9110 section 7.8). */
function refuse(socket: Duplex, error: RouterError, id: string): void {
  if (!socket.writable) return;
  const body = errorBody(error, 'other', id);
  const retry = error.retryAfter === null ? '' : `retry-after: ${error.retryAfter}\r\n`;
  const asks = error.status === 401 ? 'www-authenticate: Bearer\r\n' : '';
  socket.end(
    `HTTP/1.1 ${error.status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `${retry}${asks}x-request-id: ${id}\r\nconnection: close\r\n\r\n${body}`,
  );
}
