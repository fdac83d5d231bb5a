import { SETTING_KEYS, type Settings, settingOf } from '../../config/settings.schema.js';

/** The settings of a router of which no flag says anything but the strategy. */
export function defaultSettings(routingLogic: string): Settings {
  const defaults = Object.fromEntries(SETTING_KEYS.map((key) => [key, settingOf(key).default]));
  return { ...defaults, routingLogic } as unknown as Settings;
}
