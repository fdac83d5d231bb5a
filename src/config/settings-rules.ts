import { otlpEndpoint } from '../core/otlp-endpoint.js';
import { show } from './raw-values.js';
import type { DraftSettings, RequiredKey, SettingKey, Settings } from './settings.schema.js';
import { SETTINGS } from './settings.schema.js';

/** Names that plugins add to those that come with the router. */
export interface PluginNames {
  readonly strategies: readonly string[];
  readonly discoveries: readonly string[];
}

export interface Verdict {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Checks what one value alone cannot tell. `nameOf` is what the operator calls a setting. */
export function checkSettings(
  draft: DraftSettings,
  plugins: PluginNames,
  nameOf: (key: SettingKey) => string,
): Verdict {
  const problems: string[] = [];
  const warnings: string[] = [];
  const { serviceDiscovery: discovery, routingLogic: logic } = draft;

  const nameProblem = (key: RequiredKey, value: string | undefined, extra: readonly string[]): void => {
    const known = [...new Set([...(SETTINGS[key].choices ?? []), ...extra])];
    if (value === undefined) problems.push(`${nameOf(key)} is required; give one of ${known.join(', ')}`);
    else if (!known.includes(value)) {
      problems.push(`${nameOf(key)}: ${show(value)} is not available; give one of ${known.join(', ')}`);
    }
  };
  nameProblem('serviceDiscovery', discovery, plugins.discoveries);
  nameProblem('routingLogic', logic, plugins.strategies);

  if (logic === 'session' && draft.sessionKey === null) {
    problems.push(
      `${nameOf('sessionKey')} is required with ${nameOf('routingLogic')} session; give a header name`,
    );
  }
  if (discovery === 'static') {
    const { staticBackends: urls, staticModels: models } = draft;
    if (urls === null) {
      problems.push(
        `${nameOf('staticBackends')} is required with ${nameOf('serviceDiscovery')} static; give URLs`,
      );
    } else if (models !== null && models.length !== urls.length) {
      const counts = `${counted(urls.length, 'URL')} but ${nameOf('staticModels')} has ${counted(models.length, 'model')}`;
      problems.push(
        `${nameOf('staticBackends')} has ${counts}; give one model for each URL, or no models at all`,
      );
    }
  }
  if (draft.dynamicConfigJson !== null && draft.dynamicConfigYaml !== null) {
    problems.push(
      `${nameOf('dynamicConfigJson')} and ${nameOf('dynamicConfigYaml')} exclude each other; give one`,
    );
  }
  const pairs = [
    ['sslCertfile', 'sslKeyfile'],
    ['engineSslCertfile', 'engineSslKeyfile'],
  ] as const;
  for (const [certificate, key] of pairs) {
    if ((draft[certificate] === null) === (draft[key] === null)) continue;
    problems.push(`${nameOf(certificate)} and ${nameOf(key)} belong together; give both, or neither`);
  }
  if (draft.sslCaCerts !== null && draft.sslCertfile === null) {
    problems.push(`${nameOf('sslCaCerts')} asks clients for certificates; give ${nameOf('sslCertfile')} too`);
  }
  if (draft.adminPort !== null && draft.adminPort !== 0 && draft.adminPort === draft.port) {
    problems.push(`${nameOf('adminPort')} and ${nameOf('port')} are both ${draft.port}; give another one`);
  }
  const reachable = !/^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(draft.host);
  if (draft.dashboard && draft.adminPort === null && draft.adminKey === null && reachable) {
    warnings.push(
      `${nameOf('dashboard')} shows engines and settings to all who reach ${nameOf('port')}: give ${nameOf('adminKey')}`,
    );
  }
  if (draft.otelEndpoint !== null && otlpEndpoint(draft.otelEndpoint, draft.otelSecure) === null) {
    problems.push(
      `${nameOf('otelEndpoint')}: ${show(draft.otelEndpoint)} is not allowed; give host:port or a URL, without a user and a query`,
    );
  }
  if (draft.maxBodyMemory < draft.maxBodySize) {
    warnings.push(
      `${nameOf('maxBodyMemory')} ${draft.maxBodyMemory} is less than ${nameOf('maxBodySize')} ${draft.maxBodySize}: ` +
        'larger bodies than the former are answered 503',
    );
  }
  return { problems, warnings };
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Whether nothing required is missing. */
export const isComplete = (draft: DraftSettings): draft is Settings =>
  draft.serviceDiscovery !== undefined && draft.routingLogic !== undefined;
