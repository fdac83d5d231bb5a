import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ActiveFault } from './active-fault.js';
import { controlRoute } from './control-routes.js';
import { EngineConnections } from './engine-connections.js';
import { type EngineEvent, EngineLedger } from './engine-ledger.js';
import type { SimulatedEngineOptions } from './engine-options.js';
import { EngineState, modelsOf } from './engine-state.js';
import { EngineWideFault } from './engine-wide-fault.js';
import type { Fault } from './fault.js';
import { RequestIntake } from './request-intake.js';
import type { SeenRequest } from './seen-request.js';
import type { SimulatedModel } from './wire-format.js';

export type { EngineEvent } from './engine-ledger.js';
export type { SimulatedEngineOptions } from './engine-options.js';
export type { Fault, FixedAnswer } from './fault.js';
export type { SeenRequest } from './seen-request.js';
export type { SimulatedModel } from './wire-format.js';

const UVICORN_KEEP_ALIVE_MS = 5_000;
const REMEMBERED_REQUESTS = 10_000;

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
  private readonly connections: EngineConnections;
  private readonly ledger: EngineLedger;
  private readonly host: string;
  private boundPort: number;
  private readonly fault = new ActiveFault();
  private readonly wideFault: EngineWideFault;
  private readonly intake: RequestIntake;

  constructor(options: SimulatedEngineOptions = {}) {
    this.state = new EngineState(options);
    this.wideFault = new EngineWideFault(this.state, () => this.die());
    this.host = options.host ?? '127.0.0.1';
    this.boundPort = options.port ?? 0;
    this.ledger = new EngineLedger(options.remember ?? REMEMBERED_REQUESTS);
    this.server = createServer(
      { requestTimeout: 0, headersTimeout: 0, maxHeaderSize: 1024 * 1024 },
      (request, response) => void this.receive(request, response),
    );
    // Node's own clock for idle connections runs up to a second longer than it is told, and Node announces it.
    this.server.keepAliveTimeout = 0;
    this.connections = new EngineConnections(this.fault, options.keepAliveMs ?? UVICORN_KEEP_ALIVE_MS);
    this.server.on('connection', (socket: Socket) => this.connections.accept(socket));
    this.intake = new RequestIntake(this.state, this.fault, this.ledger, this.connections);
    this.server.on('upgrade', (request: IncomingMessage, socket: Socket) =>
      this.intake.upgrade(request, socket),
    );
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
    return this.ledger.requests.all();
  }

  /** Client requests since the start. */
  get requestCount(): number {
    return this.ledger.requests.count;
  }

  /** The last requests for /v1/models, /health, /metrics and the like. */
  get probes(): readonly SeenRequest[] {
    return this.ledger.probes.all();
  }

  /** Client requests between their head and the end of their answer. */
  get inFlight(): number {
    return this.ledger.inFlight;
  }

  /** Client requests whose client left before the end of the answer. */
  get aborted(): number {
    return this.ledger.aborted;
  }

  /** Connections accepted since the start. */
  get connectionCount(): number {
    return this.connections.count;
  }

  /** Sequences in execution batches. */
  get running(): number {
    return this.state.model.running;
  }

  /** Sequences that wait in the engine, or outside of it because it is paused or asleep. */
  get waiting(): number {
    return this.state.model.waiting + this.state.driver.held;
  }

  /** The fault in force. */
  get currentFault(): Fault | null {
    return this.fault.current;
  }

  async listen(): Promise<void> {
    this.server.listen(this.boundPort, this.host);
    await once(this.server, 'listening');
    this.boundPort = (this.server.address() as AddressInfo).port;
  }

  /** Sets what goes wrong from now on, null for nothing. Resolves when the port refuses or listens again. */
  async setFault(fault: Fault | null): Promise<void> {
    this.fault.set(fault);
    if (this.intake.mode !== 'serving') return;
    this.wideFault.apply(this.fault.current);
    if (fault?.refuse === true) this.server.close();
    else if (!this.server.listening) await this.listen();
  }

  /** Freezes all token streams and lets new requests wait, as `/pause?mode=keep`. */
  pause(): void {
    void this.state.switches.pause('keep');
  }

  resume(): void {
    this.state.switches.resume();
  }

  /** Resolves with the request of the next event of this kind; with null for `idle` and `died`. */
  async once(event: EngineEvent): Promise<SeenRequest | null> {
    return this.ledger.once(event);
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
    if (this.intake.mode === 'serving' && this.inFlight > 0) {
      this.resume();
      await Promise.race([this.whenIdle(), sleep(graceMs, undefined, { ref: false })]);
    }
    this.intake.mode = 'killed';
    const gone = this.connections.gone();
    this.connections.destroyAll();
    await gone;
  }

  /** What SIGKILL looks like from outside: the port refuses, each connection gets a FIN where it stands. */
  kill(): void {
    this.intake.mode = 'killed';
    this.server.close();
    this.connections.destroyAll();
  }

  /**
   * What SIGTERM mostly does to vLLM with its default flags: the port refuses, idle connections are closed,
   * and requests in flight get neither a byte nor a FIN any more.
   */
  hangSilently(): void {
    this.intake.mode = 'silent';
    this.fault.terminated = true;
    this.state.driver.freeze();
    this.server.close();
    this.server.closeIdleConnections();
  }

  /**
   * What SIGTERM does to vLLM with `--shutdown-timeout`: what is in flight goes on, new requests get a 500, probes
   * are answered. Resolves when nothing is in flight, or after `timeoutMs`; then the rest hangs silently.
   */
  async drain(timeoutMs: number): Promise<void> {
    this.fault.terminated = true;
    const over = new AbortController();
    const timedOut = sleep(timeoutMs, undefined, { signal: over.signal }).catch(() => {});
    await Promise.race([this.whenIdle(), timedOut]);
    over.abort();
    if (this.inFlight > 0) this.hangSilently();
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url?.startsWith('/sim/')) await controlRoute(this, request, response);
    else await this.intake.receive(request, response);
  }

  private die(): void {
    this.kill();
    this.ledger.tell('died', null);
  }
}
