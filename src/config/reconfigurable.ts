import type { Settings } from './settings.schema.js';

/** A change that is built whole but not in force yet. */
export interface PreparedChange {
  /** Puts it in force; must not throw, must not wait. */
  commit(): void;
  /** Frees what was built; used when another part of the same change could not be built. */
  discard(): Promise<void>;
}

/**
 * A part of the router that follows the dynamic file. All parts prepare, then all commit, or all
 * discard: a reload is in force whole or not at all.
 */
export abstract class Reconfigurable {
  /**
   * Builds what `next` asks for, beside what is running. Returns a change that does nothing where
   * nothing of this part changes, so that its state stays.
   * @throws {Error} one sentence for the operator when `next` cannot work
   */
  abstract prepare(next: Settings): Promise<PreparedChange>;
}
