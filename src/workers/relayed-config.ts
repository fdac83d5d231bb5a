import { Inject, Injectable } from '@nestjs/common';
import { LoadedSettings } from '../config/load-settings.js';
import type { PreparedChange, Reconfigurable } from '../config/reconfigurable.js';
import { reasonOf } from '../config/settings-error.js';
import { SettingsStore } from '../config/settings-store.js';
import type { Settings } from '../config/settings.schema.js';
import {
  DynamicConfigService,
  type DynamicConfigState,
  RECONFIGURABLES,
} from '../dynamic-config/dynamic-config.service.js';
import { FileWatchService } from '../dynamic-config/file-watch.service.js';
import { prepareAll } from '../dynamic-config/prepare-all.js';
import { ReloadListener } from '../dynamic-config/reload-listener.js';
import { PrimaryLink } from './primary-link.js';

/** How long the parts of a worker may take to prepare, milliseconds; less than the primary waits. */
const PREPARE_TIMEOUT = 25_000;

/** A worker's part in a reload. The primary reads the file and decides; the worker prepares, and commits or discards. */
@Injectable()
export class RelayedConfig extends DynamicConfigService {
  readonly #link: PrimaryLink;
  readonly #store: SettingsStore;
  readonly #parts: readonly Reconfigurable[];
  /** The newest reload that was asked for, until it is in force or discarded; one at a time. */
  #pending: { readonly reload: number; readonly changes: Promise<readonly PreparedChange[]> } | null = null;

  /** The same once it has prepared. */
  #ready: { readonly reload: number; readonly changes: readonly PreparedChange[] } | null = null;

  constructor(
    loaded: LoadedSettings,
    store: SettingsStore,
    watch: FileWatchService,
    @Inject(RECONFIGURABLES) parts: readonly Reconfigurable[],
    listener: ReloadListener,
    link: PrimaryLink,
  ) {
    super(loaded, store, watch, parts, listener);
    this.#link = link;
    this.#store = store;
    this.#parts = parts;
  }

  override get state(): DynamicConfigState {
    return this.#link.status.dynamicConfig;
  }

  override onApplicationBootstrap(): void {
    this.#link.on('prepare', ({ reload, settings }) => void this.#prepare(reload, settings));
    this.#link.on('discard', ({ reload }) => this.#discard(reload));
    this.#link.take('commit', ({ reload, settings }) => this.#commit(reload, settings));
  }

  override async onApplicationShutdown(): Promise<void> {}

  async #prepare(reload: number, settings: Settings): Promise<void> {
    const changes = prepareAll(this.#parts, settings, PREPARE_TIMEOUT);
    this.#pending = { reload, changes };
    const problem = await changes.then(
      (ready) => {
        this.#ready = { reload, changes: ready };
        return null;
      },
      (error: unknown) => reasonOf(error),
    );
    this.#link.tell({ type: 'prepared', reload, problem });
  }

  #commit(reload: number, settings: Settings): void {
    this.#store.replace(settings);
    if (this.#ready?.reload === reload) {
      for (const change of this.#ready.changes) change.commit();
    } else {
      // It began after the others had prepared. It cannot serve with other settings than they.
      void prepareAll(this.#parts, settings, PREPARE_TIMEOUT).then(
        (changes) => {
          for (const change of changes) change.commit();
        },
        () => process.exit(1),
      );
    }
    this.#pending = this.#ready = null;
  }

  #discard(reload: number): void {
    const pending = this.#pending;
    if (pending?.reload !== reload) return;
    this.#pending = this.#ready = null;
    void pending.changes.then((changes) => changes.map((change) => change.discard())).catch(() => {});
  }
}
