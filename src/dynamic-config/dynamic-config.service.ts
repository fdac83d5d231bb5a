import { isDeepStrictEqual } from 'node:util';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { LoadedSettings } from '../config/load-settings.js';
import { show } from '../config/raw-values.js';
import type { Reconfigurable } from '../config/reconfigurable.js';
import { toSnake } from '../config/setting-names.js';
import { reasonOf, SettingsError } from '../config/settings-error.js';
import type { Origins } from '../config/setting-layer.js';
import { SettingsStore } from '../config/settings-store.js';
import { SETTING_KEYS, type Settings } from '../config/settings.schema.js';
import { nextSettings, type DynamicVersion } from '../config/dynamic-file.js';
import { contentHash, FileWatchService, type FileSight } from './file-watch.service.js';
import { prepareAll } from './prepare-all.js';
import { ReloadListener, type ReloadOutcome } from './reload-listener.js';

/** Injection token of the parts that follow the dynamic file: `readonly Reconfigurable[]`. */
export const RECONFIGURABLES = Symbol('RECONFIGURABLES');

/** What `/health` tells of the dynamic file. Times are milliseconds since the epoch. */
export interface DynamicConfigState {
  readonly enabled: boolean;
  /** The version in force, as production-stack shows it; null while no version has been. */
  readonly applied: Readonly<Record<string, unknown>> | null;
  /** SHA-256 of the text in force. */
  readonly appliedHash: string | null;
  readonly appliedAt: number | null;
  /** Why the file as it stands is not in force; null when it is. */
  readonly lastError: { readonly message: string; readonly at: number } | null;
}

/** How long one part may take to prepare, in milliseconds. */
const PREPARE_TIMEOUT = 30_000;
/** The longest error kept, in characters. */
const MESSAGE_LENGTH = 2000;

/**
 * Puts each new version of the dynamic file in force: read whole, validated whole, built whole beside
 * what runs, then swapped in one step. On any error everything stays as it is.
 */
@Injectable()
export class DynamicConfigService implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #log = new Logger(DynamicConfigService.name);
  readonly #file: LoadedSettings['dynamicFile'];
  #state: DynamicConfigState;
  #origins: Origins;
  /** Content that is wrong in itself: to try it again is of no use. */
  #refused: { readonly hash: string; readonly error: NonNullable<DynamicConfigState['lastError']> } | null =
    null;
  /** The warnings of the version in force; the same ones again are not logged. */
  #warned: readonly string[];
  #stopped = false;

  constructor(
    private readonly loaded: LoadedSettings,
    private readonly store: SettingsStore,
    private readonly watch: FileWatchService,
    @Inject(RECONFIGURABLES) private readonly parts: readonly Reconfigurable[],
    private readonly listener: ReloadListener,
  ) {
    const file = (this.#file = loaded.dynamicFile);
    const hash = file?.text == null ? null : contentHash(file.text);
    const at = Date.now();
    this.#warned = loaded.warnings;
    this.#origins = loaded.origins;
    if (file?.version) {
      this.#state = {
        enabled: true,
        applied: file.version.shown,
        appliedHash: hash,
        appliedAt: at,
        lastError: null,
      };
      return;
    }
    const lastError = file && { message: file.problems.join('; ').slice(0, MESSAGE_LENGTH), at };
    this.#state = { enabled: file !== null, applied: null, appliedHash: null, appliedAt: null, lastError };
    if (hash !== null && lastError) this.#refused = { hash, error: lastError };
  }

  get state(): DynamicConfigState {
    return this.#state;
  }

  /** Where each value in force comes from. */
  get origins(): Origins {
    return this.#origins;
  }

  /** Told when a new version is in force, or refused. */
  onTurn: (outcome: Exclude<ReloadOutcome, 'unchanged'>) => void = () => {};

  /** Looks at the file now. @returns false: there is none */
  async look(): Promise<boolean> {
    if (!this.#file) return false;
    await this.watch.look();
    return true;
  }

  onApplicationBootstrap(): void {
    if (!this.#file) return;
    this.watch.follow(this.#file.path, this.store.current.dynamicConfigInterval, (sight) => this.#see(sight));
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    await this.watch.stop();
  }

  async #see(sight: FileSight): Promise<void> {
    if ('unreadable' in sight) {
      const known = this.#state.lastError?.message === sight.unreadable;
      if (known) this.#tell('unchanged');
      else this.#reject(sight.unreadable);
      return;
    }
    if (sight.hash === this.#state.appliedHash) {
      const mended = this.#state.lastError !== null;
      if (mended) this.#log.log(`${this.#name} is as applied again`);
      this.#refused = null;
      this.#state = { ...this.#state, lastError: null };
      return this.#tell(mended ? 'applied' : 'unchanged');
    }
    if (sight.hash === this.#refused?.hash) {
      this.#state = { ...this.#state, lastError: this.#refused.error };
      return this.#tell('unchanged');
    }
    await this.#apply(sight.text, sight.hash);
  }

  async #apply(text: string, hash: string): Promise<void> {
    if (!this.#file) return;
    let version: DynamicVersion;
    try {
      version = nextSettings(text, this.#file.format, this.loaded.startup);
    } catch (error) {
      this.#refused = { hash, error: this.#reject(wordsOf(error)) };
      return;
    }
    try {
      const changes = await prepareAll(this.parts, version.settings, PREPARE_TIMEOUT);
      if (this.#stopped) return void (await Promise.allSettled(changes.map((change) => change.discard())));
      const previous = this.store.current;
      // First the store: a part may read it while it commits.
      this.store.replace(version.settings);
      for (const change of changes) this.#commit(() => change.commit());
      this.#applied(version, hash, previous);
    } catch (error) {
      this.#reject(wordsOf(error));
    }
  }

  #commit(commit: () => void): void {
    try {
      commit();
    } catch (error) {
      this.#log.error(`a part did not take the new settings over: ${reasonOf(error)}`);
    }
  }

  #applied(version: DynamicVersion, hash: string, previous: Settings): void {
    this.#refused = null;
    this.#origins = version.origins;
    this.#state = {
      enabled: true,
      applied: version.shown,
      appliedHash: hash,
      appliedAt: Date.now(),
      lastError: null,
    };
    const changed = SETTING_KEYS.filter((key) => !isDeepStrictEqual(version.settings[key], previous[key]));
    this.#log.log(`${this.#name} applied; changed: ${changed.map(toSnake).join(', ') || 'nothing'}`);
    for (const warning of version.warnings) if (!this.#warned.includes(warning)) this.#log.warn(warning);
    this.#warned = version.warnings;
    this.#tell('applied');
  }

  /** A failure that repeats itself is counted each time and logged once. */
  #reject(reason: string): NonNullable<DynamicConfigState['lastError']> {
    const message = reason.slice(0, MESSAGE_LENGTH);
    if (message !== this.#state.lastError?.message) {
      this.#log.error(`${this.#name} rejected, the settings in force stay: ${message}`);
    }
    const lastError = { message, at: Date.now() };
    this.#state = { ...this.#state, lastError };
    this.#tell('rejected');
    return lastError;
  }

  #tell(outcome: ReloadOutcome): void {
    this.listener.onReload(outcome);
    if (outcome !== 'unchanged') this.onTurn(outcome);
  }

  get #name(): string {
    return `dynamic file ${show(this.#file?.path)}`;
  }
}

const wordsOf = (error: unknown): string =>
  error instanceof SettingsError ? error.problems.join('; ') : reasonOf(error);
