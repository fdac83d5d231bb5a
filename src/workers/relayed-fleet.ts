import { Injectable } from '@nestjs/common';
import type { PreparedChange } from '../config/reconfigurable.js';
import { SettingsStore } from '../config/settings-store.js';
import { Fleet } from '../core/fleet.js';
import { DiscoveryRegistry } from '../discovery/discovery-registry.js';
import { type FleetListener, FleetService, type FleetStatus } from '../discovery/fleet.service.js';
import { ModelProber } from '../discovery/model-prober.js';
import { Timers } from '../discovery/timers.js';
import type { FleetNews } from './messages.js';
import { PrimaryLink } from './primary-link.js';

/** The fleet as the primary tells it: a worker asks no engine for its models and watches no source. */
@Injectable()
export class RelayedFleet extends FleetService {
  readonly #followers = new Set<FleetListener>();
  readonly #link: PrimaryLink;
  #fleet = Fleet.empty;

  constructor(
    settings: SettingsStore,
    registry: DiscoveryRegistry,
    prober: ModelProber,
    timers: Timers,
    link: PrimaryLink,
  ) {
    super(settings, registry, prober, timers);
    this.#link = link;
  }

  override get current(): Fleet {
    return this.#fleet;
  }

  override get synced(): boolean {
    return this.#link.status.synced;
  }

  override get provider(): string {
    return this.#link.status.fleet.provider;
  }

  override get status(): FleetStatus {
    return this.#link.status.fleet;
  }

  override onChange(listener: FleetListener): () => void {
    this.#followers.add(listener);
    return () => this.#followers.delete(listener);
  }

  override async onModuleInit(): Promise<void> {
    const { news, firstSeen } = this.#link.beginning;
    const engines = news.fleet?.changed ?? [];
    this.#replace(Fleet.of(engines, 1, (model) => firstSeen.get(model) ?? 0));
    this.#link.take('fleet', (fleet) => this.#told(fleet));
  }

  override async onApplicationShutdown(): Promise<void> {}

  override async prepare(): Promise<PreparedChange> {
    return { commit: () => {}, discard: async () => {} };
  }

  /** Engines that have not changed stay the objects that they are, and with them all that is kept of them. */
  #told({ ids, changed, now }: FleetNews): void {
    const news = new Map(changed.map((engine) => [engine.id, engine]));
    const engines = ids.flatMap((id) => news.get(id) ?? this.#fleet.byId(id) ?? []);
    this.#replace(this.#fleet.next(engines, now));
  }

  #replace(next: Fleet): void {
    const previous = this.#fleet;
    this.#fleet = next;
    for (const listener of this.#followers) listener(next, previous);
  }
}
