import type { EngineSpec } from '../core/engine.js';

/** What `/health` says of a discovery provider. */
export interface DiscoveryStatus {
  /**
   * `starting` until the first set of engines is published, then `synced`; `degraded` when the source
   * cannot be followed and the last known set stands; `stopped` when its loop has ended for good.
   */
  readonly state: 'starting' | 'synced' | 'degraded' | 'stopped';
  /** Why it is not `synced`, in words for an operator. */
  readonly reason: string | null;
  /** When this state began, milliseconds since the epoch. */
  readonly since: number;
}

/**
 * Finds engines and says so whenever the set changes. Classes are listed in
 * `discovery/providers/index.ts`; a plugin brings its own. `discovery-provider.ts` says what a class
 * needs beside this contract: a static `providerName` and a constructor that takes the settings.
 *
 * A provider publishes the whole set each time; engines it does not name are gone. It must not
 * publish an engine that cannot take requests (a pod that is not Ready or is terminating). It keeps
 * what it knows when its source is unreachable.
 */
export abstract class EngineDiscovery {
  /** Whether the provider still works; its own loop must never throw out of here. */
  abstract readonly status: DiscoveryStatus;

  /**
   * Begins to watch. Resolves once watching has begun (not: once engines are known).
   * @throws {Error} one sentence for the operator when the settings cannot work
   */
  abstract start(publish: (engines: readonly EngineSpec[]) => void): Promise<void>;

  /** Ends the watch and frees its sockets and timers; no `publish` after it resolves. */
  abstract stop(): Promise<void>;
}
