import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What an engine plays to one request: bytes, cut where `cuts` says, and the end of the connection. */
export interface RawAnswer {
  readonly raw: string;
  /** Offsets at which a new write begins. */
  readonly cuts?: readonly number[];
  /** How the connection ends when all is written; nothing: it stays. */
  readonly ending?: 'fin' | 'reset';
  /** Called when all of it has been written. */
  readonly written?: () => void;
}

/** A real TCP server that answers with bytes as they are given, right or wrong. */
export class RawEngine {
  readonly sockets: Socket[] = [];
  /** Everything that has come, one text per connection, one character a byte. */
  readonly received: string[] = [];
  /** What is answered to the requests to come, in order; after that, nothing. */
  readonly #answers: RawAnswer[] = [];
  readonly #server: Server;
  #pausing = false;

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  static async start(host = '127.0.0.1'): Promise<RawEngine> {
    const engine = new RawEngine();
    engine.#server.listen(0, host);
    await once(engine.#server, 'listening');
    return engine;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  answer(...answers: RawAnswer[]): void {
    this.#answers.push(...answers);
  }

  /** The next connection is read once and then no more, until its socket is resumed. */
  pauseOnce(): void {
    this.#pausing = true;
  }

  /** Forgets answers that nobody has asked for. */
  forget(): void {
    this.#answers.length = 0;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(socket: Socket): void {
    const index = this.sockets.push(socket) - 1;
    this.received.push('');
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      this.received[index] += bytes.toString('latin1');
      if (this.#pausing) socket.pause();
      this.#pausing = false;
      const next = this.#answers.shift();
      if (next !== undefined) void this.#play(next, socket);
    });
  }

  async #play(answer: RawAnswer, socket: Socket): Promise<void> {
    const bytes = Buffer.from(answer.raw, 'latin1');
    const cuts = [...(answer.cuts ?? []), bytes.length];
    let at = 0;
    for (const cut of cuts) {
      if (socket.destroyed) break;
      if (cut > at) await new Promise<void>((done) => socket.write(bytes.subarray(at, cut), () => done()));
      at = Math.max(at, cut);
      if (at < bytes.length) await new Promise((turn) => setImmediate(turn));
    }
    if (answer.ending === 'fin') socket.end();
    if (answer.ending === 'reset') socket.resetAndDestroy();
    answer.written?.();
  }
}
