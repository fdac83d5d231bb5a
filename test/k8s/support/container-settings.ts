import { loadSettings } from '../../../src/config/load-settings.js';
import type { Settings } from '../../../src/config/settings.schema.js';

interface Manifest {
  readonly kind: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: { readonly template?: { readonly spec: PodSpec } };
}

export interface PodSpec {
  readonly containers: readonly { readonly args: readonly string[] }[];
}

/** The pod of the one Deployment among these manifests. */
export function podOf(manifests: readonly Manifest[]): PodSpec {
  const pods = manifests.flatMap(({ kind, spec }) =>
    kind === 'Deployment' && spec?.template ? [spec.template.spec] : [],
  );
  if (pods.length !== 1) throw new Error(`${pods.length} Deployments`);
  return pods[0] as PodSpec;
}

/**
 * The settings that the router's container would start with. @throws {Error} when it would not start, and when it would
 * warn of something
 */
export function settingsOf(manifests: readonly Manifest[]): Settings {
  const args = podOf(manifests).containers[0]?.args ?? [];
  const files = Object.assign({}, ...manifests.map(({ data }) => data)) as Record<string, string>;
  const { settings, warnings } = loadSettings({
    argv: args.map((arg) => arg.replace('$(POD_NAMESPACE)', 'default')),
    env: {},
    readFile: (path) => {
      const text = files[path.replace('/etc/vllm-router/', '')];
      if (text === undefined) throw new Error(`no ConfigMap has ${path}`);
      return text;
    },
  });
  if (warnings.length > 0) throw new Error(warnings.join('\n'));
  return settings;
}
