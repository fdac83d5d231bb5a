import type { DiscoveryProvider } from '../discovery-provider.js';
import { KubernetesDiscovery } from './kubernetes.discovery.js';
import { StaticDiscovery } from './static.discovery.js';

/**
 * Every way to find engines. To add one: a class in a file of its own beside these that extends
 * `EngineDiscovery` and has a static `providerName`, and one line here. Its name is then a value of
 * `--service-discovery`.
 */
export const DISCOVERY_PROVIDERS = [
  StaticDiscovery,
  KubernetesDiscovery,
] as const satisfies readonly DiscoveryProvider[];
