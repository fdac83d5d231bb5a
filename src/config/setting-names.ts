import { SETTING_KEYS, settingOf, type SettingKey } from './settings.schema.js';

/** `k8sPort` -> `k8s-port`. */
export const toKebab = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** `k8sPort`, `k8s-port` -> `k8s_port`. */
export const toSnake = (name: string): string => toKebab(name).replaceAll('-', '_');

export const ENV_PREFIX = 'VLLM_ROUTER_';

/** The setting's flag; a setting that only a variable sets goes by the variable's name. */
export const flagOf = (key: SettingKey): string => settingOf(key).onlyEnv ?? `--${toKebab(key)}`;

export const envOf = (key: SettingKey): string =>
  settingOf(key).onlyEnv ?? `${ENV_PREFIX}${toSnake(key).toUpperCase()}`;

/** Settings that have a flag, and so a key in files. */
export const FLAG_KEYS: readonly SettingKey[] = SETTING_KEYS.filter(
  (key) => settingOf(key).onlyEnv === undefined,
);

export const KEY_BY_FLAG: ReadonlyMap<string, SettingKey> = new Map(
  FLAG_KEYS.map((key) => [toKebab(key), key]),
);
export const KEY_BY_ENV: ReadonlyMap<string, SettingKey> = new Map(
  SETTING_KEYS.map((key) => [envOf(key), key]),
);
export const KEY_BY_SNAKE: ReadonlyMap<string, SettingKey> = new Map(
  FLAG_KEYS.map((key) => [toSnake(key), key]),
);

/** The known name nearest to a mistyped one, or null when none is near. */
export function nearestName(mistyped: string, known: Iterable<string>): string | null {
  let best: string | null = null;
  let bestDistance = 3;
  const typed = mistyped.slice(0, 64);
  for (const name of known) {
    const distance = name.startsWith(typed) && typed.length >= 4 ? 1 : editDistance(typed, name);
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
