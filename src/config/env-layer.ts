import { show } from './raw-values.js';
import { LEGACY_FLAGS, legacyWarning } from './legacy-flags.js';
import type { SettingLayer } from './setting-layer.js';
import { ENV_PREFIX, envOf, KEY_BY_ENV, nearestName, toSnake } from './setting-names.js';
import type { SettingKey } from './settings.schema.js';

const LEGACY_VARIABLES = new Set(
  [...LEGACY_FLAGS.keys()].map((name) => `${ENV_PREFIX}${toSnake(name).toUpperCase()}`),
);

/**
 * Whether Kubernetes made this variable: it puts the address of every Service of the namespace into
 * each pod, so beside a Service named vllm-router stands `VLLM_ROUTER_PORT=tcp://10.0.0.1:80`
 * (Kubernetes documentation, "Discovering services", environment variables).
 */
export function isServiceVariable(name: string, value: string): boolean {
  if (/_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT_\d+_/.test(name)) return true;
  return name.endsWith('PORT') && /^(tcp|udp|sctp):\/\//i.test(value.trim());
}

/** Reads `VLLM_ROUTER_*` and the variables that settings name themselves. An empty variable is not set. */
export function readEnv(env: Readonly<Record<string, string | undefined>>): SettingLayer {
  const values = new Map<SettingKey, unknown>();
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value.trim() === '') continue;
    const key = KEY_BY_ENV.get(name);
    if (key === undefined && !name.startsWith(ENV_PREFIX)) continue;
    if (isServiceVariable(name, value)) continue;
    if (key !== undefined) values.set(key, value);
    else warnings.push(LEGACY_VARIABLES.has(name) ? legacyWarning(name) : unknownVariable(name));
  }
  return { origin: 'env', values, nameOf: envOf, problems: [], warnings };
}

function unknownVariable(name: string): string {
  const near = nearestName(name, KEY_BY_ENV.keys());
  return `environment variable ${show(name)} is not a setting${near === null ? '' : `; did you mean ${near}?`}`;
}
