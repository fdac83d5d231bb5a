import type { Socket } from 'node:net';

/** Bodies up to this size are copied behind their head, bytes. */
const COPIED = 4 * 1024;
/** Bodies up to this size leave in one write with their head, bytes. */
const JOINED = 64 * 1024;
/** Bytes of a larger body that are written at once. */
const WRITE_SIZE = 128 * 1024;

const NOTHING: readonly Buffer[] = [];

/** Writes requests to one connection, large bodies slice by slice so that others have their turn between two. */
export class RequestWriter {
  #body: readonly Buffer[] = NOTHING;
  #piece = 0;
  #at = 0;
  #waiting = false;
  readonly #next = (): void => this.#write();

  constructor(private readonly socket: Socket) {
    socket.on('drain', () => this.#drained());
  }

  /** Every byte of the request has gone to the system. */
  get done(): boolean {
    return this.#body.length === 0 && this.socket.writableLength === 0;
  }

  /** @param length of the body in bytes */
  start(head: string, body: readonly Buffer[], length: number): void {
    if (length === 0) {
      this.socket.write(head, 'latin1');
      return;
    }
    if (length <= COPIED) {
      this.socket.write(joined(head, body, length));
      return;
    }
    if (length <= JOINED) {
      this.socket.cork();
      this.socket.write(head, 'latin1');
      for (const piece of body) this.socket.write(piece);
      this.socket.uncork();
      return;
    }
    this.#body = body;
    this.#piece = 0;
    this.#at = 0;
    this.socket.write(head, 'latin1');
    this.#write();
  }

  /** Writes no more of the request. */
  stop(): void {
    this.#body = NOTHING;
    this.#waiting = false;
  }

  #write(): void {
    const piece = this.#body[this.#piece];
    if (piece === undefined) return;
    const slice = piece.subarray(this.#at, this.#at + WRITE_SIZE);
    this.#at += slice.length;
    if (this.#at >= piece.length) {
      this.#piece++;
      this.#at = 0;
    }
    const drained = this.socket.write(slice);
    if (this.#piece === this.#body.length) this.stop();
    else if (drained) setImmediate(this.#next);
    else this.#waiting = true;
  }

  #drained(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    setImmediate(this.#next);
  }
}

/** Head and body in one buffer: one call of the system sends both. */
function joined(head: string, body: readonly Buffer[], length: number): Buffer {
  const bytes = Buffer.allocUnsafe(head.length + length);
  let at = bytes.write(head, 'latin1');
  for (const piece of body) at += piece.copy(bytes, at);
  return bytes;
}
