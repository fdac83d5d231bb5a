import type { Setting } from './setting-kinds.js';
import { settingOf, type SettingKey } from './settings.schema.js';

/** A value as help, documentation and `vllm-router config` print it; empty for "nothing". */
export function displayValue(key: SettingKey, value: unknown): string {
  const setting = settingOf(key);
  if (value === undefined || value === null) return '';
  if (setting.secret) return Array.isArray(value) && value.length === 0 ? '' : '(hidden)';
  if (Array.isArray(value)) return value.join(',');
  if (setting.kind === 'bytes' && typeof value === 'number') return displayBytes(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export const displayDefault = (key: SettingKey): string => displayValue(key, settingOf(key).default);

/** Why nothing is shown as the default of a setting, and what its figures mean. */
export function displayUnit(setting: Setting<unknown>): string {
  if (setting.kind === 'list') return 'comma list';
  return setting.unit === 'bytes' ? 'bytes, or a size such as 64KiB' : (setting.unit ?? setting.kind);
}

function displayBytes(value: number): string {
  for (const [unit, size] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (value >= size && value % size === 0) return `${value / size}${unit}`;
  }
  return String(value);
}
