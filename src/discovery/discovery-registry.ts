import type { DiscoveryProvider } from './discovery-provider.js';
import { EngineDiscovery } from './engine-discovery.js';

/** The discovery providers that can be chosen, by the values of `--service-discovery` that choose them. */
export class DiscoveryRegistry {
  readonly #providers = new Map<string, DiscoveryProvider>();

  /** @throws {Error} when a class is no discovery provider or a name is taken */
  constructor(providers: readonly DiscoveryProvider[]) {
    for (const provider of providers) this.#add(provider);
  }

  /** Every valid value of `--service-discovery`, in the order of registration. */
  get names(): readonly string[] {
    return [...this.#providers.keys()];
  }

  /** @throws {Error} when no provider has this name */
  get(name: string): DiscoveryProvider {
    const provider = this.#providers.get(name);
    if (!provider) throw new Error(`unknown service discovery "${name}"; known: ${this.names.join(', ')}`);
    return provider;
  }

  #add(provider: DiscoveryProvider): void {
    const name: unknown = provider?.providerName;
    if (typeof name !== 'string' || name === '') {
      throw new Error(
        'a discovery needs a static providerName, the value of --service-discovery that selects it',
      );
    }
    if (typeof provider !== 'function' || !(provider.prototype instanceof EngineDiscovery)) {
      throw new Error(`service discovery "${name}" must be a class that extends EngineDiscovery`);
    }
    if (this.#providers.has(name)) {
      throw new Error(
        `service discovery "${name}" is registered twice; give one of them another providerName`,
      );
    }
    this.#providers.set(name, provider);
  }
}
