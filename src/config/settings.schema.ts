import type { Setting } from './setting-kinds.js';
import { ENGINE_SETTINGS } from './settings/engine.settings.js';
import { HEALTH_SETTINGS } from './settings/health.settings.js';
import { OBSERVATION_SETTINGS } from './settings/observation.settings.js';
import { ROUTING_SETTINGS } from './settings/routing.settings.js';
import { SECURITY_SETTINGS } from './settings/security.settings.js';
import { SERVER_SETTINGS } from './settings/server.settings.js';
import { TRAFFIC_SETTINGS } from './settings/traffic.settings.js';

/**
 * Every setting of the router. Flags, environment variables, file keys, `--help`, shell completion,
 * types and docs/configuration.md all come from this table. To add a setting, add one entry to the
 * file of its group; its key is the camelCase of its flag.
 */
export const SETTINGS = {
  ...ENGINE_SETTINGS,
  ...HEALTH_SETTINGS,
  ...ROUTING_SETTINGS,
  ...SERVER_SETTINGS,
  ...SECURITY_SETTINGS,
  ...TRAFFIC_SETTINGS,
  ...OBSERVATION_SETTINGS,
} as const;

export type SettingKey = keyof typeof SETTINGS;

type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** Validated settings. Durations are in seconds, sizes in bytes. */
export type Settings = { readonly [K in SettingKey]: ValueOf<(typeof SETTINGS)[K]> };

export const SETTING_KEYS = Object.keys(SETTINGS) as readonly SettingKey[];

/** The settings without which the router does not start. */
export type RequiredKey = 'serviceDiscovery' | 'routingLogic';

/** Settings before the required ones are known to be there. */
export type DraftSettings = Omit<Settings, RequiredKey> & { readonly [K in RequiredKey]?: Settings[K] };

/** One entry of the table, its value type left open. */
export function settingOf(key: SettingKey): Setting<unknown> {
  return SETTINGS[key];
}
