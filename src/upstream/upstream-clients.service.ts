import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { SettingsStore } from '../config/settings-store.js';
import type { Engine } from '../core/engine.js';
import type { Fleet } from '../core/fleet.js';
import { EngineAccess } from '../security/engine-access.js';
import { Http1Client } from './http1/http1-client.js';
import { UndiciClient } from './undici-client.js';
import type { UpstreamClient } from './upstream-client.js';

/** One engine's client, and what its URL puts before every path. */
export interface EngineUpstream {
  readonly client: UpstreamClient;
  /** Path of the engine's base URL, without a trailing slash. */
  readonly pathPrefix: string;
}

/** One client per engine of the fleet; bounded by the number of engines. */
@Injectable()
export class UpstreamClients implements OnApplicationShutdown {
  readonly #upstreams = new Map<string, EngineUpstream>();

  constructor(
    private readonly settings: SettingsStore,
    private readonly access: EngineAccess,
  ) {}

  of(engine: Engine): EngineUpstream {
    let upstream = this.#upstreams.get(engine.id);
    if (upstream === undefined) this.#upstreams.set(engine.id, (upstream = this.#make(engine)));
    return upstream;
  }

  /** Drops the clients of engines that have left; requests in flight keep their connections. */
  retain(fleet: Fleet): void {
    for (const [id, { client }] of this.#upstreams) {
      if (fleet.byId(id) !== undefined) continue;
      client.close();
      this.#upstreams.delete(id);
    }
  }

  onApplicationShutdown(): void {
    for (const { client } of this.#upstreams.values()) client.close();
    this.#upstreams.clear();
  }

  #make({ url }: Engine): EngineUpstream {
    const { origin, pathname, protocol } = new URL(url);
    const connectTimeoutMs = (): number => this.settings.current.connectTimeout * 1_000;
    // The own client knows no TLS.
    const own = protocol === 'http:' && this.settings.current.upstreamClient === 'http1';
    const client = own
      ? new Http1Client(origin, connectTimeoutMs)
      : new UndiciClient(origin, connectTimeoutMs, () => this.access.tls);
    return { client, pathPrefix: pathname.replace(/\/$/, '') };
  }
}
