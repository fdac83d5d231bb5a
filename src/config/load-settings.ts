import { nextSettings, type DynamicVersion, type StartupSettings } from './dynamic-file.js';
import { readEnv } from './env-layer.js';
import { readConfigFile, readPluginSettings } from './file-layer.js';
import { readFlags } from './flag-layer.js';
import { show } from './raw-values.js';
import { readValue, type Origin, type Origins, type SettingLayer } from './setting-layer.js';
import { flagOf } from './setting-names.js';
import { reasonOf, SettingsError } from './settings-error.js';
import type { FileFormat } from './settings-file.js';
import { checkSettings, isComplete, type PluginNames } from './settings-rules.js';
import {
  SETTING_KEYS,
  SETTINGS,
  settingOf,
  type DraftSettings,
  type SettingKey,
  type Settings,
} from './settings.schema.js';

export interface SettingsSources {
  /** Flags alone, without the program and the command. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Throws when the file cannot be read. */
  readonly readFile: (path: string) => string;
  /** Names that plugins add to the values of `--routing-logic` and `--service-discovery`. */
  readonly extraStrategies?: readonly string[];
  readonly extraDiscoveries?: readonly string[];
  /** Values that take the place of the built-in defaults, by the keys of `Settings`. */
  readonly pluginSettings?: Readonly<Record<string, unknown>>;
}

/** The dynamic file as it was found at start. */
export interface DynamicFileAtStart {
  readonly path: string;
  readonly format: FileFormat;
  /** Null when the file could not be read. */
  readonly text: string | null;
  /** Null when the file is not in force: `problems` say why, and the start-up settings serve. */
  readonly version: DynamicVersion | null;
  readonly problems: readonly string[];
}

/** What the process starts with. */
export abstract class LoadedSettings {
  abstract readonly settings: Settings;
  abstract readonly origins: Origins;
  /** To be logged once, at start. */
  abstract readonly warnings: readonly string[];
  abstract readonly startup: StartupSettings;
  abstract readonly dynamicFile: DynamicFileAtStart | null;
}

/**
 * Puts together default < plugin < config file < environment < flag < dynamic file.
 * @throws {SettingsError} with every problem found
 */
export function loadSettings(sources: SettingsSources): LoadedSettings {
  const flags = readFlags(sources.argv);
  const env = readEnv(sources.env);
  const layers = [
    readPluginSettings(sources.pluginSettings ?? {}),
    ...configLayers(flags, env, sources.readFile),
    env,
    flags,
  ];
  const plugins: PluginNames = {
    strategies: sources.extraStrategies ?? [],
    discoveries: sources.extraDiscoveries ?? [],
  };
  const { draft, origins, problems } = layered(layers);
  if (problems.length > 0) throw new SettingsError(problems);

  const nameOf = (key: SettingKey): string =>
    layers.find((layer) => layer.origin === origins[key])?.nameOf(key) ?? flagOf(key);
  const verdict = checkSettings(draft, plugins, nameOf);
  const startup: StartupSettings = { draft, origins, plugins };
  const warnings = layers.flatMap((layer) => layer.warnings);

  const dynamicFile = readDynamicFile(startup, sources.readFile);
  if (dynamicFile?.version) {
    const { settings, origins: merged, warnings: more } = dynamicFile.version;
    return {
      settings,
      origins: merged,
      warnings: [...new Set([...warnings, ...more])],
      startup,
      dynamicFile,
    };
  }
  const fileProblems = (dynamicFile?.problems ?? []).map(
    (problem) => `dynamic file ${show(dynamicFile?.path)}: ${problem}`,
  );
  if (verdict.problems.length > 0 || !isComplete(draft))
    throw new SettingsError([...verdict.problems, ...fileProblems]);
  const all = [
    ...warnings,
    ...verdict.warnings,
    ...fileProblems.map((line) => `${line}; the start-up settings serve`),
  ];
  return { settings: draft, origins, warnings: all, startup, dynamicFile };
}

/**
 * The paths of `--plugin`, which must be known before anything else is: plugins add values that other
 * settings may take. Values that cannot be read are left to `loadSettings` to refuse.
 */
export function readPluginPaths(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  readFile?: (path: string) => string,
): readonly string[] {
  const flags = readFlags(argv);
  const variables = readEnv(env);
  const files = readFile ? configLayers(flags, variables, readFile) : [];
  for (const layer of [flags, variables, ...files]) {
    if (!layer.values.has('plugin')) continue;
    const read = SETTINGS.plugin.schema.safeParse(layer.values.get('plugin'));
    return read.success ? read.data : [];
  }
  return [];
}

function configLayers(
  flags: SettingLayer,
  env: SettingLayer,
  readFile: (path: string) => string,
): SettingLayer[] {
  const given = flags.values.get('config') ?? env.values.get('config');
  const path = SETTINGS.config.schema.safeParse(given ?? null);
  return path.success && path.data !== null ? [readConfigFile(path.data, readFile)] : [];
}

function layered(layers: readonly SettingLayer[]): {
  draft: DraftSettings;
  origins: Origins;
  problems: string[];
} {
  const values: Record<string, unknown> = {};
  const origins = {} as Record<SettingKey, Origin>;
  const problems = layers.flatMap((layer) => layer.problems);
  for (const key of SETTING_KEYS) {
    values[key] = settingOf(key).default;
    origins[key] = 'default';
    for (const layer of layers) {
      if (!layer.values.has(key)) continue;
      const read = readValue(key, layer.nameOf(key), layer.values.get(key));
      if ('problems' in read) problems.push(...read.problems);
      else {
        values[key] = read.value;
        origins[key] = layer.origin;
      }
    }
  }
  return { draft: values as unknown as DraftSettings, origins, problems };
}

function readDynamicFile(
  startup: StartupSettings,
  readFile: (path: string) => string,
): DynamicFileAtStart | null {
  const { dynamicConfigJson: json, dynamicConfigYaml: yaml } = startup.draft;
  const path = json ?? yaml;
  // With both given, checkSettings has refused them.
  if (path === null || (json !== null && yaml !== null)) return null;
  const format: FileFormat = json !== null ? 'json' : 'yaml';
  let content: string | null = null;
  try {
    content = readFile(path);
    return { path, format, text: content, version: nextSettings(content, format, startup), problems: [] };
  } catch (error) {
    const problems = error instanceof SettingsError ? error.problems : [`cannot be read: ${reasonOf(error)}`];
    return { path, format, text: content, version: null, problems };
  }
}
