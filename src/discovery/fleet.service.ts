import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Reconfigurable, type PreparedChange } from '../config/reconfigurable.js';
import type { Settings } from '../config/settings.schema.js';
import { SettingsStore } from '../config/settings-store.js';
import type { Engine, EngineSpec, ServedModel } from '../core/engine.js';
import { byUrl, Fleet } from '../core/fleet.js';
import { DiscoveryRegistry } from './discovery-registry.js';
import type { DiscoveryStatus } from './engine-discovery.js';
import { KnownEngine } from './known-engine.js';
import { ModelProber } from './model-prober.js';
import { ModelRefresher } from './model-refresher.js';
import { RunningDiscovery } from './running-discovery.js';
import { Timers } from './timers.js';

/** The provider's own status, with what the fleet adds. */
export interface FleetStatus extends DiscoveryStatus {
  readonly provider: string;
  /** Engines that requests can go to. */
  readonly engines: number;
  /** Engines that were found and have not named their models yet. */
  readonly unknown: number;
}

export type FleetListener = (next: Fleet, previous: Fleet) => void;

/**
 * Keeps the fleet: runs the discovery that the settings name, asks each engine for its models, and
 * replaces the fleet whole when something has really changed.
 */
@Injectable()
export class FleetService extends Reconfigurable implements OnModuleInit, OnApplicationShutdown {
  readonly #log = new Logger(FleetService.name);
  readonly #listeners = new Set<FleetListener>();
  readonly #refresher: ModelRefresher;
  readonly #began: number;
  #discovery: RunningDiscovery | null = null;
  #known = new Map<string, KnownEngine>();
  /** Engines of a provider's first set whose first probe has not ended. */
  #awaited = new Set<string>();
  /** Engines whose silence stands in the log already. */
  readonly #reported = new WeakSet<KnownEngine>();
  #endWait = (): void => {};
  /** Engines of the provider before this one, for the models that no engine of this one serves yet. */
  #leaving: readonly Engine[] = [];
  #firstSetComes = true;
  #synced = false;
  #fleet = Fleet.empty;

  constructor(
    private readonly settings: SettingsStore,
    private readonly registry: DiscoveryRegistry,
    prober: ModelProber,
    private readonly timers: Timers,
  ) {
    super();
    this.#began = timers.now();
    const limits = () => ({
      interval: settings.current.modelRefreshInterval * 1000,
      timeout: this.#probeTimeout,
    });
    this.#refresher = new ModelRefresher(prober, timers, limits, {
      learned: (id, models) => this.#learned(id, models),
      failed: (id, reason) => this.#failed(id, reason),
    });
  }

  /** The engines known now. */
  get current(): Fleet {
    return this.#fleet;
  }

  /** The provider has named its first engines and each has been asked for its models once; stays true. */
  get synced(): boolean {
    return this.#synced;
  }

  /** The value of `--service-discovery` in force. */
  get provider(): string {
    return this.#discovery?.name ?? this.settings.current.serviceDiscovery;
  }

  get status(): FleetStatus {
    const engines = this.#fleet.engines.length;
    const unknown = [...this.#known.values()].filter(({ engine }) => !engine).length;
    const own = { provider: this.provider, engines, unknown };
    const status = this.#discovery?.status;
    if (!status) return { state: 'starting', reason: 'discovery has not begun', since: this.#began, ...own };
    if (status.state !== 'synced' || this.#synced) return { ...status, ...own };
    const reason = `asking engines for their models, ${this.#awaited.size} left`;
    return { state: 'starting', reason, since: this.#began, ...own };
  }

  /** Calls `listener` after each change until the returned function is called. */
  onChange(listener: FleetListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async onModuleInit(): Promise<void> {
    const settings = this.settings.current;
    this.#follow(await RunningDiscovery.start(this.registry.get(settings.serviceDiscovery), settings));
  }

  async onApplicationShutdown(): Promise<void> {
    this.#refresher.stop();
    this.#endWait();
    await this.#discovery?.stop();
  }

  override async prepare(next: Settings): Promise<PreparedChange> {
    if (this.#discovery?.suits(next)) return { commit: () => {}, discard: async () => {} };
    const started = await RunningDiscovery.start(this.registry.get(next.serviceDiscovery), next);
    return { commit: () => this.#replace(started), discard: () => started.stop() };
  }

  /**
   * Begins the discovery anew beside the one in force, which stays when that fails, and asks all engines for their models.
   * @throws {Error} one sentence for the operator
   */
  async retry(): Promise<void> {
    const settings = this.settings.current;
    const started = await RunningDiscovery.start(this.registry.get(settings.serviceDiscovery), settings);
    // A reload may have come meanwhile: what it has put in force stays.
    if (this.settings.current === settings) this.#replace(started);
    else await started.stop();
    for (const { id, url } of this.#known.values()) this.#refresher.watch(id, url);
  }

  #replace(next: RunningDiscovery): void {
    const previous = this.#discovery;
    this.#follow(next);
    void previous
      ?.stop()
      .catch((error: unknown) => this.#log.warn(`stopping ${previous.name}: ${String(error)}`));
  }

  get #probeTimeout(): number {
    return this.settings.current.backendHealthCheckTimeoutSeconds * 1000;
  }

  #follow(discovery: RunningDiscovery): void {
    this.#discovery = discovery;
    this.#firstSetComes = true;
    discovery.attach((specs) => this.#adopt(specs));
  }

  #adopt(specs: readonly EngineSpec[]): void {
    const known = new Map<string, KnownEngine>();
    for (const spec of specs) {
      const before = this.#known.get(spec.id);
      const engine = before?.url === spec.url ? before : new KnownEngine(spec);
      known.set(spec.id, engine);
      if (engine === before) engine.respecify(spec);
      else this.#refresher.watch(spec.id, spec.url);
    }
    for (const id of this.#known.keys()) if (!known.has(id)) this.#refresher.forget(id);
    this.#known = known;
    if (this.#firstSetComes) this.#awaitFirstProbes();
    for (const id of this.#awaited) if (!known.has(id)) this.#awaited.delete(id);
    this.#settle();
  }

  #awaitFirstProbes(): void {
    this.#firstSetComes = false;
    this.#leaving = this.#fleet.engines;
    this.#endWait();
    const awaited = [...this.#known.values()].filter(({ engine }) => !this.#synced || !engine);
    this.#awaited = new Set(awaited.map(({ id }) => id));
    this.#endWait = this.timers.after(this.#probeTimeout, () => {
      this.#awaited.clear();
      this.#settle();
    });
  }

  #learned(id: string, models: readonly ServedModel[]): void {
    const engine = this.#known.get(id);
    const before = engine?.engine;
    engine?.learn(models);
    if (this.#awaited.delete(id) || engine?.engine !== before) this.#settle();
  }

  #failed(id: string, reason: string): void {
    const engine = this.#known.get(id);
    if (engine && !engine.engine && !this.#reported.has(engine)) {
      this.#reported.add(engine);
      this.#log.warn(`engine ${engine.url} gets no requests until it names its models: ${reason}`);
    } else {
      this.#log.debug(`engine ${engine?.url} did not name its models: ${reason}`);
    }
    if (this.#awaited.delete(id)) this.#settle();
  }

  /** Brings `synced` and the fleet in line with what is known. */
  #settle(): void {
    if (this.#awaited.size === 0) {
      this.#endWait();
      this.#leaving = [];
      this.#synced ||= !this.#firstSetComes;
    }
    const engines = [...this.#known.values()].flatMap(({ engine }) => engine ?? []);
    engines.push(...this.#stillNeeded(engines));
    engines.sort(byUrl);
    const previous = this.#fleet;
    const same =
      engines.length === previous.engines.length && engines.every((e, i) => e === previous.engines[i]);
    if (same) return;
    const next = previous.next(engines, Math.floor(this.timers.now() / 1000));
    this.#fleet = next;
    this.#log.log(`fleet ${next.version}: ${engines.length} engines, ${next.modelIds.length} models`);
    for (const listener of this.#listeners) {
      try {
        listener(next, previous);
      } catch (error) {
        this.#log.error(`a listener of the fleet failed: ${String(error)}`);
      }
    }
  }

  /** No model loses its last engine while the engines of the next provider are asked for theirs. */
  #stillNeeded(engines: readonly Engine[]): readonly Engine[] {
    if (this.#leaving.length === 0) return [];
    const served = new Set(engines.flatMap(({ models }) => models.map(({ id }) => id)));
    return this.#leaving.filter(
      ({ id, models }) => !this.#known.has(id) && models.some((model) => !served.has(model.id)),
    );
  }
}
