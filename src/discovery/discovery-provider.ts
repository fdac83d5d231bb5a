import type { Settings } from '../config/settings.schema.js';
import type { EngineDiscovery } from './engine-discovery.js';

/**
 * The class of a discovery provider, as `discovery/providers/index.ts` and plugins list it.
 *
 * @example
 * class ConsulDiscovery extends EngineDiscovery {
 *   static readonly providerName = 'consul';
 *   constructor(settings: Settings) { ... }
 * }
 */
export interface DiscoveryProvider {
  /** The value of `--service-discovery` that selects it; unique. */
  readonly providerName: string;
  /**
   * The settings that an instance reads. A reload that changes one of them starts a new instance;
   * one that does not keeps the running instance. Absent: none.
   */
  readonly reads?: readonly (keyof Settings)[];
  /**
   * Must be cheap and free of I/O: what is heavy is loaded in `start()`.
   * @throws {Error} one sentence for the operator when the settings cannot work
   */
  new (settings: Settings): EngineDiscovery;
}
