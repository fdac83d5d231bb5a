import {
  loadSettings,
  type LoadedSettings,
  type SettingsSources,
} from '../../../src/config/load-settings.js';
import { SettingsError } from '../../../src/config/settings-error.js';

/** The flags without which nothing starts. */
export const STATIC = [
  '--service-discovery',
  'static',
  '--static-backends',
  'http://a:8000,http://b:8000',
  '--routing-logic',
  'roundrobin',
];

export interface Given extends Partial<Omit<SettingsSources, 'readFile'>> {
  /** Contents by path; any other path is missing. */
  readonly files?: Readonly<Record<string, string>>;
}

export function readFrom(files: Readonly<Record<string, string>>): (path: string) => string {
  return (path) => {
    const text = files[path];
    if (text === undefined) throw new Error(`ENOENT: no such file or directory, open '${path}'`);
    return text;
  };
}

export function load({ files = {}, argv = [], env = {}, ...rest }: Given): LoadedSettings {
  return loadSettings({ argv, env, ...rest, readFile: readFrom(files) });
}

/** What an operator reads when these sources are refused. */
export function problemsOf(given: Given): readonly string[] {
  try {
    load(given);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  throw new Error('the settings were accepted');
}
