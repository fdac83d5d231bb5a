import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import type { Engine } from '../core/engine.js';
import type { Fleet } from '../core/fleet.js';
import { ConnectionPool } from './connection-pool.js';

/** One connection pool per engine of the fleet; bounded by the number of engines. */
@Injectable()
export class ConnectionPools implements OnApplicationShutdown {
  readonly #pools = new Map<string, ConnectionPool>();

  constructor(private readonly settings: SettingsStore) {}

  of(engine: Engine): ConnectionPool {
    let pool = this.#pools.get(engine.id);
    if (pool === undefined) {
      pool = new ConnectionPool(
        new URL(engine.url).origin,
        () => this.settings.current.connectTimeout * 1_000,
      );
      this.#pools.set(engine.id, pool);
    }
    return pool;
  }

  /** Drops the pools of engines that have left; requests in flight keep their connections. */
  retain(fleet: Fleet): void {
    for (const [id, pool] of this.#pools) {
      if (fleet.byId(id) !== undefined) continue;
      pool.close();
      this.#pools.delete(id);
    }
  }

  onApplicationShutdown(): void {
    for (const pool of this.#pools.values()) pool.close();
    this.#pools.clear();
  }
}
