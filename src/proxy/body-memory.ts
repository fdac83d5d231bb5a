import { Injectable } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';

/** Counts the request bytes held over all requests against `--max-body-memory`. */
@Injectable()
export class BodyMemory {
  #held = 0;
  /** Bytes that the other processes on the port hold, as they told last. */
  heldByOthers = 0;

  constructor(private readonly settings: SettingsStore) {}

  /** Bytes held by this process now. */
  get held(): number {
    return this.#held;
  }

  /** Takes room for `bytes`; false when there is none. */
  take(bytes: number): boolean {
    if (this.#held + this.heldByOthers + bytes > this.settings.current.maxBodyMemory) return false;
    this.#held += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#held -= bytes;
  }
}
