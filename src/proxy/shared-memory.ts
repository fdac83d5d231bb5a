import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';

/** Bytes of one segment. */
const SEGMENT = 1024 * 1024;

/**
 * Memory for large bodies, in segments that the reading thread sees without a copy. V8 does not count
 * shared memory when it decides to collect, so hundreds of MiB may come and go without a pause of the
 * streams. What is not collected yet is counted here. Beyond `--max-body-memory` each segment carries as
 * much memory that V8 does count, so that it collects in time; that memory is never touched.
 */
@Injectable()
export class SharedMemory {
  /** Bytes of all segments that V8 has not collected. */
  #uncollected = 0;
  readonly #collected = new FinalizationRegistry<number>((bytes) => {
    this.#uncollected -= bytes;
  });
  /** Lives as long as its segment. */
  readonly #counted = new WeakMap<SharedArrayBuffer, Buffer>();

  constructor(private readonly settings: SettingsStore) {}

  /** A segment of zeros. */
  segment(): Buffer {
    const memory = new SharedArrayBuffer(SEGMENT);
    this.#collected.register(memory, SEGMENT);
    this.#uncollected += SEGMENT;
    if (this.#uncollected > this.settings.current.maxBodyMemory) {
      this.#counted.set(memory, Buffer.allocUnsafeSlow(SEGMENT));
    }
    return Buffer.from(memory);
  }
}
