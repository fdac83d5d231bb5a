import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { ApiCredentials } from './api-credentials.js';
import { InClusterCredentials, SECRETS_DIR } from './in-cluster-credentials.js';
import { KubeconfigCredentials, type KubeConfigReader } from './kubeconfig-credentials.js';

/** Where credentials are looked for; absent parts are the process's own. */
export interface CredentialPlaces {
  readonly env?: NodeJS.ProcessEnv;
  readonly secretsDir?: string;
  readonly home?: string;
  readonly loadKubeConfig?: () => Promise<KubeConfigReader>;
}

/**
 * The pod's ServiceAccount, else a kubeconfig.
 * @throws {Error} one sentence for the operator when there is neither
 */
export async function findCredentials(places: CredentialPlaces = {}): Promise<ApiCredentials> {
  const env = places.env ?? process.env;
  const secretsDir = places.secretsDir ?? SECRETS_DIR;
  const inCluster = await InClusterCredentials.find(env, secretsDir);
  if (inCluster) return inCluster;
  const files = kubeconfigFiles(env, places.home ?? homedir());
  if (files.some((file) => existsSync(file))) return new KubeconfigCredentials(places.loadKubeConfig);
  throw new Error(
    `--service-discovery k8s needs a ServiceAccount token in ${secretsDir} or a kubeconfig, and there is no file at ${files.join(', ')}`,
  );
}

function kubeconfigFiles(env: NodeJS.ProcessEnv, home: string): readonly string[] {
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  return listed.length > 0 ? listed : [join(home, '.kube', 'config')];
}
