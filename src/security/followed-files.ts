import { createHash } from 'node:crypto';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { readTextFile, readTextFileSync } from '../config/read-text-file.js';
import { reasonOf, SettingsError } from '../config/settings-error.js';
import { SettingsStore } from '../config/settings-store.js';
import { Schedule } from '../scheduling/schedule.js';

/** What `/health` tells of one set of files. `at` in milliseconds since the epoch. */
export interface FollowedState {
  /** The flags that name the files. */
  readonly flags: string;
  readonly appliedAt: number;
  /** Why the files as they stand are not in force; null when they are. */
  readonly lastError: { readonly message: string; readonly at: number } | null;
}

interface FollowedSet {
  readonly flags: string;
  readonly paths: readonly string[];
  /** Puts the texts in force, or throws and changes nothing. */
  readonly take: (texts: readonly string[]) => void;
  appliedHash: string;
  /** Content that is wrong in itself is not tried again. */
  refusedHash: string | null;
  state: FollowedState;
}

/**
 * Follows files of keys and certificates by their content, every `--dynamic-config-interval`, so that the swap of a
 * mounted Secret is seen. A set of files that belong together is put in force whole or not at all; while it is wrong,
 * what was in force stays. Bounded by the flags that name files.
 */
@Injectable()
export class FollowedFiles implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger('Files');
  readonly #sets: FollowedSet[] = [];
  readonly #schedule: Schedule;
  #looking: Promise<void> | null = null;

  constructor(
    private readonly settings: SettingsStore,
    schedulers: SchedulerRegistry,
  ) {
    this.#schedule = new Schedule(schedulers, 'files of keys and certificates', () => void this.look());
  }

  /**
   * Reads a set of files now and follows it from then on.
   * @param flags of the files, for what operators are told
   * @param take gets the texts in the order of `paths`; throws, with nothing changed, when they cannot be in force
   * @throws {SettingsError} when they cannot be in force now
   */
  follow(flags: string, paths: readonly string[], take: (texts: readonly string[]) => void): void {
    let texts;
    try {
      texts = paths.map(readTextFileSync);
      take(texts);
    } catch (error) {
      throw new SettingsError([`${flags}: ${reasonOf(error)}`]);
    }
    const state = { flags, appliedAt: Date.now(), lastError: null };
    this.#sets.push({ flags, paths, take, appliedHash: hashOf(texts), refusedHash: null, state });
    if (this.#schedule.started) return;
    this.#schedule.every(this.settings.current.dynamicConfigInterval);
  }

  get states(): readonly FollowedState[] {
    return this.#sets.map(({ state }) => state);
  }

  onApplicationBootstrap(): void {
    if (this.#sets.length > 0) this.#schedule.every(this.settings.current.dynamicConfigInterval);
  }

  async onApplicationShutdown(): Promise<void> {
    this.#schedule.stop();
    await this.#looking;
  }

  /** Looks at all files now, or waits for the look that is under way. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#lookAtAll().finally(() => (this.#looking = null));
    return this.#looking;
  }

  async #lookAtAll(): Promise<void> {
    for (const set of this.#sets) await this.#lookAt(set);
  }

  async #lookAt(set: FollowedSet): Promise<void> {
    let hash: string | null = null;
    try {
      const texts = await Promise.all(set.paths.map(readTextFile));
      hash = hashOf(texts);
      if (hash === set.refusedHash) return;
      const changed = hash !== set.appliedHash;
      if (!changed && set.state.lastError === null) return;
      if (changed) set.take(texts);
      set.appliedHash = hash;
      set.refusedHash = null;
      set.state = {
        flags: set.flags,
        appliedAt: changed ? Date.now() : set.state.appliedAt,
        lastError: null,
      };
      this.#log.log(changed ? `${set.flags}: new content is in force` : `${set.flags}: as before again`);
    } catch (error) {
      set.refusedHash = hash;
      const message = reasonOf(error);
      if (message !== set.state.lastError?.message) {
        this.#log.error(`${set.flags} rejected, what was in force stays: ${message}`);
      }
      set.state = { ...set.state, lastError: { message, at: Date.now() } };
    }
  }
}

function hashOf(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text.length}:`).update(text);
  return hash.digest('hex');
}
