import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';

/** Bytes of one segment. */
const SEGMENT = 1024 * 1024;

/**
 * Memory for large bodies, in segments that the reading thread sees without a copy. V8 does not count
 * shared memory when it decides to collect, so hundreds of MiB may come and go without a pause of the
 * streams. What is not collected yet is counted here: beyond `--max-body-memory` V8 is made to collect.
 */
@Injectable()
export class SharedMemory {
  #uncollected = 0;
  readonly #collected = new FinalizationRegistry<number>((bytes) => {
    this.#uncollected -= bytes;
  });

  constructor(private readonly settings: SettingsStore) {}

  /** A segment of zeros. */
  segment(): Buffer {
    const memory = new SharedArrayBuffer(SEGMENT);
    this.#collected.register(memory, SEGMENT);
    this.#uncollected += SEGMENT;
    // Memory that V8 counts, never touched and dropped at once: the reason to collect that shared memory is not.
    if (this.#uncollected > this.settings.current.maxBodyMemory) Buffer.allocUnsafeSlow(SEGMENT);
    return Buffer.from(memory);
  }
}
