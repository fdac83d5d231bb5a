import { displayValue } from './setting-display.js';
import { SETTING_GROUPS, type SettingGroup } from './setting-kinds.js';
import type { Origins } from './setting-layer.js';
import { flagOf } from './setting-names.js';
import { SETTING_KEYS, settingOf, type SettingKey, type Settings } from './settings.schema.js';

/** A setting as operators are shown it. */
export interface SettingInForce {
  readonly group: SettingGroup;
  /** Its flag, or the variable that alone sets it. */
  readonly name: string;
  /** Empty for "nothing"; secrets are hidden. */
  readonly value: string;
  /** In the operator's words. */
  readonly origin: string;
}

/** All settings, grouped as in `--help`. @param dynamicPath of the dynamic file; null without one */
export function settingsInForce(
  settings: Settings,
  origins: Origins,
  dynamicPath: string | null,
): readonly SettingInForce[] {
  const whence = (key: SettingKey): string => {
    const origin = origins[key];
    if (origin === 'config file') return `config file ${settings.config ?? ''}`;
    return origin === 'dynamic file' ? `dynamic file ${dynamicPath ?? ''}` : origin;
  };
  return SETTING_GROUPS.flatMap((group) =>
    SETTING_KEYS.filter((key) => settingOf(key).group === group).map((key) => ({
      group,
      name: flagOf(key),
      value: displayValue(key, settings[key]),
      origin: whence(key),
    })),
  );
}
