import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { PluginSources } from './config/config.command.js';
import { SettingsError } from './config/settings-error.js';
import { DiscoveryRegistry } from './discovery/discovery-registry.js';
import type { DiscoveryProvider } from './discovery/discovery-provider.js';
import { EngineDiscovery } from './discovery/engine-discovery.js';
import { DISCOVERY_PROVIDERS } from './discovery/providers/index.js';
import { RoutingStrategy, type StrategyClass } from './routing/routing-strategy.js';
import { ROUTING_STRATEGIES } from './routing/strategies/index.js';
import { StrategyRegistry } from './routing/strategy-registry.js';

/** What a plugin builds on: it extends these classes, so that no second copy of them is loaded. */
export interface PluginApi {
  readonly RoutingStrategy: typeof RoutingStrategy;
  readonly EngineDiscovery: typeof EngineDiscovery;
}

/** What a plugin brings. `settings` take the place of built-in defaults, by the keys of `Settings`. */
export interface Plugin {
  readonly strategies?: readonly StrategyClass[];
  readonly discoveries?: readonly DiscoveryProvider[];
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** The default export of a `--plugin` module. */
export type PluginFactory = (api: PluginApi) => Plugin | Promise<Plugin>;

/** Everything that all plugins bring together. */
export interface Extensions {
  readonly strategies: readonly StrategyClass[];
  readonly discoveries: readonly DiscoveryProvider[];
  readonly settings: Readonly<Record<string, unknown>>;
}

const API: PluginApi = { RoutingStrategy, EngineDiscovery };

/**
 * Loads the modules of `--plugin`, in their order; a later one's settings win.
 * @throws {SettingsError} one line for the plugin that cannot be used
 */
export async function loadPlugins(paths: readonly string[]): Promise<Extensions> {
  const strategies: StrategyClass[] = [];
  const discoveries: DiscoveryProvider[] = [];
  const settings: Record<string, unknown> = {};
  for (const path of paths) {
    const plugin = await loadPlugin(path);
    strategies.push(...(plugin.strategies ?? []));
    discoveries.push(...(plugin.discoveries ?? []));
    Object.assign(settings, plugin.settings);
    try {
      settingsSources({ strategies, discoveries, settings });
    } catch (error) {
      throw refused(path, error);
    }
  }
  return { strategies, discoveries, settings };
}

/**
 * What extensions add to the sources of the settings. The registries are the only place where a strategy
 * or a discovery is listed, so the names that their settings may have come from there.
 * @throws {Error} when a class is neither, or a name is taken
 */
export function settingsSources({ strategies, discoveries, settings }: Extensions): PluginSources {
  return {
    extraStrategies: new StrategyRegistry([...ROUTING_STRATEGIES, ...strategies]).names,
    extraDiscoveries: new DiscoveryRegistry([...DISCOVERY_PROVIDERS, ...discoveries]).names,
    pluginSettings: settings,
  };
}

async function loadPlugin(path: string): Promise<Plugin> {
  try {
    const module = (await import(pathToFileURL(resolve(path)).href)) as { default?: unknown };
    if (typeof module.default !== 'function') {
      throw new Error(
        'it must export a function by default: export default (api) => ({ strategies, discoveries, settings })',
      );
    }
    const plugin: unknown = await (module.default as PluginFactory)(API);
    if (typeof plugin !== 'object' || plugin === null) throw new Error('its function must return an object');
    return plugin;
  } catch (error) {
    throw refused(path, error);
  }
}

function refused(path: string, error: unknown): SettingsError {
  const reason = error instanceof Error ? error.message : String(error);
  return new SettingsError([`--plugin ${JSON.stringify(path)}: ${reason}`]);
}
