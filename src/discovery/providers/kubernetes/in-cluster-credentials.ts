import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApiAccess, ApiCredentials } from './api-credentials.js';

/** Where the kubelet mounts a ServiceAccount's files. */
export const SECRETS_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * A pod's ServiceAccount. The kubelet renews the token in place, so the files are read for every
 * request and nothing of them is kept.
 */
export class InClusterCredentials implements ApiCredentials {
  readonly #server: string;

  private constructor(
    private readonly folder: string,
    host: string,
    port: string,
    readonly ownNamespace: string | null,
  ) {
    this.#server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  /** Null when this process does not run in a pod that has a ServiceAccount token. */
  static async find(env: NodeJS.ProcessEnv, folder: string): Promise<InClusterCredentials | null> {
    const host = env['KUBERNETES_SERVICE_HOST'] ?? '';
    if (host === '') return null;
    const token = await readOrNull(join(folder, 'token'));
    if (token === null) return null;
    const port = env['KUBERNETES_SERVICE_PORT'] || '443';
    const namespace = (await readOrNull(join(folder, 'namespace')))?.trim();
    return new InClusterCredentials(folder, host, port, namespace || null);
  }

  async access(): Promise<ApiAccess> {
    const token = await readOrNull(join(this.folder, 'token'));
    if (token === null || token.trim() === '') {
      throw new Error(`cannot read the ServiceAccount token in ${this.folder}`);
    }
    const ca = await readOrNull(join(this.folder, 'ca.crt'));
    return {
      server: this.#server,
      tls: ca === null ? {} : { ca },
      headers: { authorization: `Bearer ${token.trim()}` },
    };
  }

  rejected(): void {
    // Nothing is cached: the next request reads the token again.
  }
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return null;
  }
}
