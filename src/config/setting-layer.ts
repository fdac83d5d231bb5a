import { show } from './raw-values.js';
import { settingOf, type SettingKey } from './settings.schema.js';

/** Where the value in force of a setting comes from. A later word takes precedence over an earlier one. */
export type Origin = 'default' | 'plugin' | 'config file' | 'env' | 'flag' | 'dynamic file';
export type Origins = Readonly<Record<SettingKey, Origin>>;

/** What one source says, not validated yet. */
export interface SettingLayer {
  readonly origin: Origin;
  readonly values: ReadonlyMap<SettingKey, unknown>;
  /** What this source calls a setting, for problems. */
  nameOf(key: SettingKey): string;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

export type ReadValue = { readonly value: unknown } | { readonly problems: readonly string[] };

/** Reads one raw value by the setting's schema; each problem names the setting, the value and what is allowed. */
export function readValue(key: SettingKey, name: string, raw: unknown): ReadValue {
  const setting = settingOf(key);
  const result = setting.schema.safeParse(raw, {
    error: (issue) =>
      `${setting.secret ? 'the value' : show(issue.input)} is not allowed; give ${setting.allowed}`,
  });
  if (result.success) return { value: result.data };
  return { problems: [...new Set(result.error.issues.map((issue) => `${name}: ${issue.message}`))] };
}
