import { connect, type Socket } from 'node:net';
import { AnswerReader } from '../../core/http1/answer-reader.js';
import { MalformedAnswer } from '../../core/http1/malformed-answer.js';
import { ConnectionFault, tellsOfClose } from './connection-fault.js';
import type { Http1Exchange } from './http1-exchange.js';
import { atEndOfTurn, type AtEndOfTurn } from '../../scheduling/end-of-turn.js';
import { RequestWriter } from './request-writer.js';

/**
 * Where every connection's bytes arrive. Node reads and calls back in one step, so what is here belongs to one
 * connection until the callback returns, and is copied before.
 */
const READS = Buffer.allocUnsafeSlow(64 * 1024);

/** Where an engine listens. */
export interface EngineAddress {
  /** Name or address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Who owns connections. */
export interface ConnectionOwner {
  /** The connection is free for the next request. */
  idle(connection: Http1Connection): void;
  /** The connection is closed. */
  gone(connection: Http1Connection): void;
}

const enum State {
  Connecting,
  Idle,
  /** Has a request that is not written yet. */
  Waiting,
  Busy,
  Closed,
}

/** One keep-alive connection to an engine; carries one request at a time. */
export class Http1Connection implements AtEndOfTurn {
  /** Since when it is idle, milliseconds of the owner's clock. */
  idleSince = 0;

  readonly #socket: Socket;
  readonly #owner: ConnectionOwner;
  readonly #reader = new AnswerReader();
  readonly #writer: RequestWriter;
  #state = State.Connecting;
  #served = false;
  #paused = false;
  #exchange: Http1Exchange | null = null;
  #head = '';
  #body: readonly Buffer[] = [];
  #length = 0;
  #timer: NodeJS.Timeout | null;

  /** @param connectTimeoutMs for all addresses of a name together */
  constructor(address: EngineAddress, connectTimeoutMs: number, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#socket = connect({
      host: address.host,
      port: address.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
      autoSelectFamily: true,
      onread: { buffer: READS, callback: (size) => this.#read(size) },
    });
    this.#timer = setTimeout(() => this.#connectTimeout(connectTimeoutMs), connectTimeoutMs);
    this.#socket.on('connect', () => this.#connected());
    this.#socket.on('end', () => this.#ended());
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new ConnectionFault('ECONNRESET', 'the connection is closed')));
    this.#writer = new RequestWriter(this.#socket);
  }

  get connected(): boolean {
    return this.#state !== State.Connecting;
  }

  /**
   * Sends a request. On a connection that has served before it is written at the end of the turn: what the
   * engine has sent or closed until then belongs to no request, and must not pass for an answer to this one.
   */
  send(exchange: Http1Exchange, method: string, head: string, body: readonly Buffer[], length: number): void {
    this.#exchange = exchange;
    this.#head = head;
    this.#body = body;
    this.#length = length;
    this.#reader.begin(method);
    if (this.#state === State.Connecting) return;
    this.#state = State.Waiting;
    atEndOfTurn(this);
  }

  endOfTurn(): void {
    if (this.#state === State.Waiting) this.#write();
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#socket.resume();
  }

  /** Closes at once, whatever is under way; nobody hears of it. */
  abandon(): void {
    this.#exchange = null;
    this.destroy();
  }

  /** Closes the socket at once. */
  destroy(): void {
    if (this.#state === State.Closed) return;
    this.#state = State.Closed;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#letGo();
    this.#socket.destroy();
    this.#owner.gone(this);
  }

  #connected(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#state === State.Connecting) this.#write();
  }

  #connectTimeout(ms: number): void {
    this.#fail(new ConnectionFault('ETIMEDOUT', `no connection within ${ms} ms`));
  }

  #write(): void {
    this.#state = State.Busy;
    this.#writer.start(this.#head, this.#body, this.#length);
    this.#head = '';
    this.#body = [];
  }

  /** @returns true, which lets Node read on; reading pauses through the socket alone */
  #read(size: number): boolean {
    const exchange = this.#exchange;
    if (exchange === null || this.#state !== State.Busy) {
      this.#fail(new ConnectionFault('ECONNRESET', 'the engine has sent something that nobody asked for'));
      return true;
    }
    let end: number;
    try {
      end = this.#reader.read(READS, 0, size, exchange);
    } catch (error) {
      if (!(error instanceof MalformedAnswer)) throw error;
      this.#fail(error);
      return true;
    }
    if (this.#exchange !== exchange || !this.#reader.over) return true;
    if (end < size || !this.#reader.keepAlive || !this.#writer.done) this.#endExchange(false);
    else this.#endExchange(true);
    return true;
  }

  #ended(): void {
    if (this.#exchange !== null && this.#reader.close()) this.#endExchange(false);
    else this.#fail(new ConnectionFault('ECONNRESET', 'the engine has closed the connection'));
  }

  /** The answer is whole: the connection goes back or is closed, then the exchange hears of it. */
  #endExchange(reuse: boolean): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    if (reuse) {
      this.#served = true;
      this.#state = State.Idle;
      this.#letGo();
      if (this.#paused) this.resume();
      this.#owner.idle(this);
    } else this.destroy();
    exchange?.ended();
  }

  #fail(error: Error): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    const stale = this.#served && !this.#reader.begun && tellsOfClose(error);
    this.destroy();
    exchange?.failed(error, stale);
  }

  #letGo(): void {
    this.#writer.stop();
    this.#head = '';
    this.#body = [];
  }
}
