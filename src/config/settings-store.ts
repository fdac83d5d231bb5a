import type { Settings } from './settings.schema.js';

/**
 * The settings in force. Read `current` at each use instead of keeping a copy: a reload of the dynamic
 * file replaces the whole object, and never edits it.
 */
export class SettingsStore {
  #current: Settings;

  constructor(initial: Settings) {
    this.#current = Object.freeze({ ...initial });
  }

  get current(): Settings {
    return this.#current;
  }

  /** Puts new settings in force; called by the dynamic configuration alone, once all of them are validated. */
  replace(next: Settings): void {
    this.#current = Object.freeze({ ...next });
  }
}
