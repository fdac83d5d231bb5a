import { show } from './raw-values.js';
import { LEGACY_FLAGS, legacyWarning } from './legacy-flags.js';
import type { Origin, SettingLayer } from './setting-layer.js';
import { flagOf, KEY_BY_SNAKE, nearestName, toSnake } from './setting-names.js';
import { flattenStaticModels, formatOf, parseSettingsFile } from './settings-file.js';
import { reasonOf, SettingsError } from './settings-error.js';
import { SETTING_KEYS, type SettingKey } from './settings.schema.js';

/** Code may set what files must not hold: a secret. */
const EVERY_KEY_BY_SNAKE = new Map(SETTING_KEYS.map((key) => [toSnake(key), key]));
const LEGACY_KEYS = new Set([...LEGACY_FLAGS.keys()].map(toSnake));

/** Reads the file of `--config`; keys may be written `k8s_port`, `k8s-port` or `k8sPort`. */
export function readConfigFile(path: string, readFile: (path: string) => string): SettingLayer {
  const where = `config file ${show(path)}`;
  try {
    const content = parseSettingsFile(readFile(path) || '{}', formatOf(path));
    const named = [...content].map(([name, value]) => [toSnake(name), value] as const);
    return keyedLayer('config file', where, flattenStaticModels(new Map(named)));
  } catch (error) {
    const problems = error instanceof SettingsError ? error.problems : [`cannot be read: ${reasonOf(error)}`];
    return {
      ...keyedLayer('config file', where, new Map()),
      problems: problems.map((problem) => `${where}: ${problem}`),
    };
  }
}

/** Default settings that a plugin or an embedding application brings, by the keys of `Settings`. */
export function readPluginSettings(settings: Readonly<Record<string, unknown>>): SettingLayer {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined && value !== null);
  const named = new Map(given.map(([name, value]) => [toSnake(name), value] as const));
  return keyedLayer('plugin', 'plugin settings', named);
}

function keyedLayer(origin: Origin, where: string, content: ReadonlyMap<string, unknown>): SettingLayer {
  const values = new Map<SettingKey, unknown>();
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const [name, value] of content) {
    const key = origin === 'plugin' ? EVERY_KEY_BY_SNAKE.get(name) : KEY_BY_SNAKE.get(name);
    if (LEGACY_KEYS.has(name)) warnings.push(legacyWarning(`${where}: ${name}`));
    else if (key === 'config' || (key === 'plugin' && origin === 'plugin')) {
      problems.push(`${where}: ${name} cannot be set here; give ${flagOf(key)}`);
    } else if (key === undefined) {
      const near = nearestName(name, KEY_BY_SNAKE.keys());
      problems.push(`${where}: unknown key ${show(name)}${near === null ? '' : `; did you mean ${near}?`}`);
    } else values.set(key, value);
  }
  return { origin, values, problems, warnings, nameOf: (key) => `${where}: ${toSnake(key)}` };
}
