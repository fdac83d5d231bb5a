import { loadSettings, readPluginPaths, type LoadedSettings, type SettingsSources } from './load-settings.js';
import { settingsInForce } from './settings-in-force.js';
import { SETTING_KEYS, settingOf } from './settings.schema.js';

/** The settings in force as a table, grouped as in `--help`. */
function settingsTable({ settings, origins, dynamicFile }: LoadedSettings): string {
  const rows = settingsInForce(settings, origins, dynamicFile?.path ?? null).map(
    ({ name, value, origin }) => [name, value || '-', origin] as const,
  );
  const width = (column: 0 | 1): number => Math.max(...rows.map((row) => Math.min(row[column].length, 60)));
  const [first, second] = [width(0), width(1)];
  return rows
    .map(([name, value, from]) => `${name.padEnd(first)}  ${value.padEnd(second)}  ${from}\n`)
    .join('');
}

/** The same for programs: `{key: {value, origin}}`, secrets hidden. */
function settingsJson(loaded: LoadedSettings): string {
  const entries = SETTING_KEYS.map((key) => {
    const value = loaded.settings[key];
    const shown = settingOf(key).secret && value !== null ? '(hidden)' : value;
    return [key, { value: shown, origin: loaded.origins[key] }];
  });
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}

/** What the modules of `--plugin` add to the sources of the settings. */
export type PluginSources = Pick<SettingsSources, 'extraStrategies' | 'extraDiscoveries' | 'pluginSettings'>;

/**
 * `vllm-router config [flags] [--json]`.
 * @param broughtBy loads plugins by their paths
 * @throws {SettingsError} with every problem of the settings
 */
export async function configCommand(
  sources: Pick<SettingsSources, 'argv' | 'env' | 'readFile'>,
  broughtBy: (plugins: readonly string[]) => Promise<PluginSources>,
): Promise<{ readonly text: string; readonly warnings: readonly string[] }> {
  const json = sources.argv.includes('--json');
  const argv = sources.argv.filter((word) => word !== '--json');
  const plugins = readPluginPaths(argv, sources.env, sources.readFile);
  const loaded = loadSettings({ ...sources, argv, ...(await broughtBy(plugins)) });
  return { text: json ? settingsJson(loaded) : settingsTable(loaded), warnings: loaded.warnings };
}
