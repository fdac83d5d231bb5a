import { LEGACY_DYNAMIC_KEYS, legacyWarning } from './legacy-flags.js';
import { show } from './raw-values.js';
import { readValue, type Origin, type Origins } from './setting-layer.js';
import { FLAG_KEYS, flagOf, KEY_BY_SNAKE, nearestName, toSnake } from './setting-names.js';
import { SettingsError } from './settings-error.js';
import { flattenStaticModels, parseSettingsFile, type FileFormat } from './settings-file.js';
import { checkSettings, isComplete, type PluginNames } from './settings-rules.js';
import {
  settingOf,
  type DraftSettings,
  type RequiredKey,
  type SettingKey,
  type Settings,
} from './settings.schema.js';

/** What flags, environment and config file say: the ground that every version of the dynamic file is laid on. */
export interface StartupSettings {
  readonly draft: DraftSettings;
  readonly origins: Origins;
  readonly plugins: PluginNames;
}

/** A version of the dynamic file that can be put in force. */
export interface DynamicVersion {
  readonly settings: Settings;
  readonly origins: Origins;
  /** What `/health` shows once it is in force; see `shownFields`. */
  readonly shown: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

const REQUIRED: readonly RequiredKey[] = ['serviceDiscovery', 'routingLogic'];
const DYNAMIC_KEYS = FLAG_KEYS.filter((key) => settingOf(key).dynamic === true);

/** The settings that belong to one discovery type. */
const KEYS_OF_DISCOVERY: Readonly<Record<string, readonly SettingKey[]>> = {
  static: ['staticBackends', 'staticModels'],
  k8s: ['k8sPort', 'k8sNamespace', 'k8sLabelSelector', 'k8sServiceDiscoveryType'],
};

/**
 * Lays the dynamic file's text over the start-up settings.
 * - `service_discovery` and `routing_logic` must be there; an unknown key rejects the file.
 * - An absent key falls back to the start-up settings, except that `static_models` always comes from
 *   where `static_backends` comes from, and that a file which changes the discovery type brings that
 *   type's keys itself or gets their documented defaults.
 * @throws {SettingsError} with every problem of the file
 */
export function nextSettings(text: string, format: FileFormat, startup: StartupSettings): DynamicVersion {
  const content = flattenStaticModels(parseSettingsFile(text, format));
  const problems = unknownKeys(content);
  for (const key of REQUIRED) {
    if (!content.has(toSnake(key)))
      problems.push(`${toSnake(key)} is missing; give ${settingOf(key).allowed}`);
  }
  if (content.has('static_models') && !content.has('static_backends')) {
    problems.push('static_models is given without static_backends; give both, or static_backends alone');
  }

  const values: Record<string, unknown> = { ...startup.draft };
  const origins: Record<SettingKey, Origin> = { ...startup.origins };
  for (const key of keysNotInherited(content, startup)) {
    values[key] = settingOf(key).default;
    origins[key] = 'default';
  }
  for (const key of DYNAMIC_KEYS) {
    if (!content.has(toSnake(key))) continue;
    const read = readValue(key, toSnake(key), content.get(toSnake(key)));
    if ('problems' in read) problems.push(...read.problems);
    else {
      values[key] = read.value;
      origins[key] = 'dynamic file';
    }
  }
  problems.push(...legacyProblems(content));
  if (problems.length > 0) throw new SettingsError(problems);

  const draft = values as unknown as DraftSettings;
  const nameOf = (key: SettingKey): string => (DYNAMIC_KEYS.includes(key) ? toSnake(key) : flagOf(key));
  const verdict = checkSettings(draft, startup.plugins, nameOf);
  if (verdict.problems.length > 0 || !isComplete(draft)) throw new SettingsError(verdict.problems);

  const legacy = [...content.keys()].filter((name) => LEGACY_DYNAMIC_KEYS.has(name));
  return {
    settings: draft,
    origins,
    shown: shownFields(content, draft, origins),
    warnings: [...legacy.map(legacyWarning), ...verdict.warnings],
  };
}

/** Keys whose start-up value does not hold under this file. */
function keysNotInherited(
  content: ReadonlyMap<string, unknown>,
  startup: StartupSettings,
): readonly SettingKey[] {
  const before = startup.draft.serviceDiscovery;
  const wanted = content.get('service_discovery');
  if (typeof wanted === 'string' && before !== undefined && wanted.trim() !== before) {
    return Object.hasOwn(KEYS_OF_DISCOVERY, wanted.trim()) ? (KEYS_OF_DISCOVERY[wanted.trim()] ?? []) : [];
  }
  return content.has('static_backends') ? ['staticModels'] : [];
}

function unknownKeys(content: ReadonlyMap<string, unknown>): string[] {
  const problems: string[] = [];
  for (const name of content.keys()) {
    const key = KEY_BY_SNAKE.get(name);
    if (LEGACY_DYNAMIC_KEYS.has(name) || (key !== undefined && settingOf(key).dynamic)) continue;
    if (key !== undefined)
      problems.push(`${name} cannot be in the dynamic file; give ${flagOf(key)} at start`);
    else {
      const near = nearestName(name, [...DYNAMIC_KEYS.map(toSnake), ...LEGACY_DYNAMIC_KEYS]);
      problems.push(`unknown key ${show(name)}${near === null ? '' : `; did you mean ${near}?`}`);
    }
  }
  return problems;
}

const isScalar = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);
const isFlat = (value: unknown): boolean =>
  isScalar(value) || (typeof value === 'object' && value !== null && Object.values(value).every(isScalar));

/** Ignored keys are shown by `/health`, so they must be flat. */
function legacyProblems(content: ReadonlyMap<string, unknown>): string[] {
  return [...content]
    .filter(([name, value]) => LEGACY_DYNAMIC_KEYS.has(name) && !isFlat(value))
    .map(([name, value]) => `${name}: ${show(value)} is not allowed; give text, or a flat list or mapping`);
}

const DOCUMENTED: readonly SettingKey[] = [
  'serviceDiscovery',
  'routingLogic',
  'staticBackends',
  'staticModels',
  'k8sPort',
  'k8sNamespace',
  'k8sLabelSelector',
  'sessionKey',
];

/**
 * production-stack's `dynamic_config`: eight fields, lists as text with commas, null where neither the
 * file nor the start-up settings name the key; then every other key of the file.
 */
function shownFields(
  content: ReadonlyMap<string, unknown>,
  settings: Settings,
  origins: Origins,
): Record<string, unknown> {
  const asText = (value: unknown): unknown => (Array.isArray(value) ? value.join(',') : value);
  const shown: Record<string, unknown> = {};
  for (const key of DOCUMENTED)
    shown[toSnake(key)] = origins[key] === 'default' ? null : asText(settings[key]);
  for (const [name, value] of content) if (!Object.hasOwn(shown, name)) shown[name] = asText(value);
  return shown;
}
