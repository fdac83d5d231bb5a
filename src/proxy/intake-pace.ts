import type { IncomingMessage } from 'node:http';

/** Bytes of large bodies taken in one tick, all bodies together, and the length of a tick in milliseconds. */
const BYTES_PER_TICK = 256 * 1024;
const TICK_MS = 2;
/** Bodies that go on in one tick: Node hands each over in chunks of 64 KiB. */
const BODIES_PER_TICK = BYTES_PER_TICK / (64 * 1024);

/**
 * Takes large bodies in at an even pace (128 MiB/s in all, in turn), so that the streams and `/health`
 * have their turn between any two chunks however fast clients send.
 */
export class IntakePace {
  #left = BYTES_PER_TICK;
  /** In the order in which they go on; bounded by the bodies under way. */
  readonly #waiting = new Set<IncomingMessage>();
  #timer: NodeJS.Timeout | null = null;

  /** `bytes` of a large body have come. */
  took(request: IncomingMessage, bytes: number): void {
    this.#left -= bytes;
    if (this.#left > 0) return;
    request.pause();
    this.#waiting.add(request);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
  }

  /** The body is complete, refused or gone; what is left of it flows. */
  forget(request: IncomingMessage): void {
    if (this.#waiting.delete(request)) request.resume();
  }

  #tick(): void {
    this.#left = BYTES_PER_TICK;
    let resumed = 0;
    for (const request of this.#waiting) {
      if (resumed++ === BODIES_PER_TICK) return;
      this.#waiting.delete(request);
      request.resume();
    }
    if (this.#waiting.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
