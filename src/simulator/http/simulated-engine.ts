import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ActiveFault } from './active-fault.js';
import { controlRoute } from './control-routes.js';
import { answerRequest, isProbe } from './engine-routes.js';
import { EngineConnections } from './engine-connections.js';
import { EngineState, modelsOf, type SimulatedEngineOptions } from './engine-state.js';
import { Exchange } from './exchange.js';
import { answerByFault } from './fault-answers.js';
import type { Fault } from './fault.js';
import { acceptRealtime } from './realtime-socket.js';
import { readBody } from './request-body.js';
import { RequestLog, type SeenRequest, seenRequest } from './seen-request.js';
import type { SimulatedModel } from './wire-format.js';

export type { SimulatedEngineOptions } from './engine-state.js';
export type { Fault, FixedAnswer } from './fault.js';
export type { SeenRequest } from './seen-request.js';
export type { SimulatedModel } from './wire-format.js';

const UVICORN_KEEP_ALIVE_MS = 5_000;
const REMEMBERED_REQUESTS = 10_000;

/** What `once` waits for: the body of a request has been read, it has ended, its client left, none is left. */
export type EngineEvent = 'request' | 'finished' | 'aborted' | 'idle';

/** Starts a simulated engine; rejects when the port is taken. */
export async function startSimulatedEngine(options: SimulatedEngineOptions = {}): Promise<SimulatedEngine> {
  const engine = new SimulatedEngine(options);
  await engine.listen();
  return engine;
}

/**
 * A small vLLM engine without a model: HTTP as vLLM 0.32 speaks it, deterministic text, a pace, and faults
 * on demand. It runs in the process of the demo and of tests, and on its own as `simulated-engine.main`.
 */
export class SimulatedEngine {
  private readonly server: Server;
  private readonly state: EngineState;
  private readonly events = new EventEmitter().setMaxListeners(0);
  private readonly connections: EngineConnections;
  private readonly requestLog: RequestLog;
  private readonly probeLog: RequestLog;
  private readonly host: string;
  private boundPort: number;
  private readonly fault = new ActiveFault();
  private mode: 'serving' | 'silent' | 'killed' = 'serving';

  /** Client requests between their head and the end of their answer. */
  inFlight = 0;
  /** Client requests whose client left before the end of the answer. */
  aborted = 0;

  constructor(options: SimulatedEngineOptions = {}) {
    this.state = new EngineState(options);
    this.host = options.host ?? '127.0.0.1';
    this.boundPort = options.port ?? 0;
    const remember = options.remember ?? REMEMBERED_REQUESTS;
    this.requestLog = new RequestLog(remember);
    this.probeLog = new RequestLog(remember);
    this.server = createServer(
      { requestTimeout: 0, headersTimeout: 0, maxHeaderSize: 1024 * 1024 },
      (request, response) => void this.receive(request, response),
    );
    // Node's own clock for idle connections runs up to a second longer than it is told, and Node announces it.
    this.server.keepAliveTimeout = 0;
    this.connections = new EngineConnections(this.fault, options.keepAliveMs ?? UVICORN_KEEP_ALIVE_MS);
    this.server.on('connection', (socket: Socket) => this.connections.accept(socket));
    this.server.on('upgrade', (request: IncomingMessage, socket: Socket) => this.upgrade(request, socket));
    this.server.on('clientError', (_error, socket) => {
      socket.end(
        'HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n\r\n',
      );
    });
  }

  /** Base URL without a trailing slash. */
  get url(): string {
    return `http://${this.host.includes(':') ? `[${this.host}]` : this.host}:${this.boundPort}`;
  }

  get port(): number {
    return this.boundPort;
  }

  get models(): readonly SimulatedModel[] {
    return this.state.models;
  }

  set models(models: readonly (string | SimulatedModel)[]) {
    this.state.models = modelsOf(models);
  }

  /** The last client requests, oldest first, at most `remember`. */
  get requests(): readonly SeenRequest[] {
    return this.requestLog.all();
  }

  /** Client requests since the start. */
  get requestCount(): number {
    return this.requestLog.count;
  }

  /** The last requests for /v1/models, /health, /metrics and the like. */
  get probes(): readonly SeenRequest[] {
    return this.probeLog.all();
  }

  /** Connections accepted since the start. */
  get connectionCount(): number {
    return this.connections.count;
  }

  get running(): number {
    return this.state.slots.running;
  }

  get waiting(): number {
    return this.state.slots.waiting;
  }

  async listen(): Promise<void> {
    this.server.listen(this.boundPort, this.host);
    await once(this.server, 'listening');
    this.boundPort = (this.server.address() as AddressInfo).port;
  }

  /** Sets what goes wrong from now on, null for nothing. Resolves when the port refuses or listens again. */
  async setFault(fault: Fault | null): Promise<void> {
    this.fault.set(fault);
    if (this.mode !== 'serving') return;
    if (fault?.refuse === true) this.server.close();
    else if (!this.server.listening) await this.listen();
  }

  /** Freezes all token streams and lets new requests wait, as `/pause?mode=keep`. */
  pause(): void {
    this.state.slots.hold();
    this.state.pacer.freeze();
  }

  resume(): void {
    this.state.pacer.thaw();
    this.state.slots.release();
  }

  /** Resolves with the request of the next event of this kind; with null for `idle`. */
  async once(event: EngineEvent): Promise<SeenRequest | null> {
    const [request] = (await once(this.events, event)) as [SeenRequest | null];
    return request;
  }

  /** The next client request whose body has been read. */
  async nextRequest(): Promise<SeenRequest> {
    return (await this.once('request')) as SeenRequest;
  }

  /** Resolves as soon as no client request is in flight. */
  async whenIdle(): Promise<void> {
    if (this.inFlight > 0) await this.once('idle');
  }

  /** Stops listening, lets what is in flight end for at most `graceMs`, closes all connections. */
  async close(graceMs = 2_000): Promise<void> {
    this.server.close();
    this.server.closeIdleConnections();
    if (this.mode === 'serving' && this.inFlight > 0) {
      this.resume();
      await Promise.race([this.whenIdle(), sleep(graceMs, undefined, { ref: false })]);
    }
    this.mode = 'killed';
    const gone = this.connections.gone();
    this.connections.destroyAll();
    await gone;
  }

  /** What SIGKILL looks like from outside: the port refuses, each connection gets a FIN where it stands. */
  kill(): void {
    this.mode = 'killed';
    this.server.close();
    this.connections.destroyAll();
  }

  /**
   * What SIGTERM mostly does to vLLM with its default flags: the port refuses, idle connections are closed,
   * and requests in flight get neither a byte nor a FIN any more.
   */
  hangSilently(): void {
    this.mode = 'silent';
    this.fault.terminated = true;
    this.pause();
    this.server.close();
    this.server.closeIdleConnections();
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pathname = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (pathname.startsWith('/sim/')) return controlRoute(this, request, response);
    const probe = isProbe(request.method ?? '', pathname);
    const { number, requests, hung } = this.connections.begin(request.socket);
    if (hung) return;
    const { mode } = this;
    if (mode === 'silent') response.shouldKeepAlive = false;
    const seen = seenRequest(request, number);
    (probe ? this.probeLog : this.requestLog).add(seen);
    if (!probe) this.inFlight += 1;
    let fault: Fault | null = null;
    try {
      fault = this.fault.forRequest(request.headers, pathname, probe);
    } catch (error) {
      fault = { status: 400, body: `x-sim-fault: ${String(error)}` };
    }
    const exchange = new Exchange(request, response, seen, fault, () => this.finish(request, seen, probe));
    if (fault?.staleSocket !== undefined && requests > 1) {
      return exchange.close(fault.staleSocket, 'faulted');
    }
    if (exchange.cut('request-head')) return;
    const body = await readBody(request, seen, fault?.echo === true);
    if (body === null || exchange.over) return;
    if (!probe) this.events.emit('request', seen);
    if (fault?.slowHead !== undefined) await exchange.delay(fault.slowHead);
    if (this.mode !== mode || exchange.over) return;
    if (answerByFault(exchange, body)) return;
    if (this.fault.current?.dead === true && pathname === '/health') return exchange.send(503, [], '');
    answerRequest(exchange, this.state, body);
  }

  private finish(request: IncomingMessage, seen: SeenRequest, probe: boolean): void {
    this.connections.rest(request.socket);
    if (this.mode === 'killed' && seen.finished === 'aborted') seen.finished = 'killed';
    if (probe) return;
    this.inFlight -= 1;
    if (seen.finished === 'aborted') {
      this.aborted += 1;
      this.events.emit('aborted', seen);
    }
    this.events.emit('finished', seen);
    if (this.inFlight === 0) this.events.emit('idle', null);
  }

  private upgrade(request: IncomingMessage, socket: Socket): void {
    const how = this.fault.cutEarly('request-head') ?? this.fault.cutEarly('before-head');
    if (how === 'reset') socket.resetAndDestroy();
    else if (how === 'fin') socket.destroy();
    else if (how === null) acceptRealtime(request, socket, this.state.firstName);
  }
}
