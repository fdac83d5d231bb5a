import type { ApiAccess, ApiCredentials, ApiTls } from './api-credentials.js';

/** Exec plugins may ask a cloud for a token; one that hangs must not hold up discovery for ever. */
const ACCESS_TIMEOUT_MS = 30_000;

/** What is used of `KubeConfig` of @kubernetes/client-node. */
export interface KubeConfigReader {
  loadFromDefault(): void;
  getCurrentCluster(): { readonly server: string; readonly proxyUrl?: string } | null;
  applyToHTTPSOptions(options: KubeConfigOptions): Promise<void>;
}

/** What `applyToHTTPSOptions` fills in. */
export interface KubeConfigOptions extends ApiTls {
  headers?: Record<string, unknown>;
  auth?: string | null;
}

/** Loads the library that reads kubeconfigs; its import costs tens of MB, so it waits until one is needed. */
async function loadKubeConfigReader(): Promise<KubeConfigReader> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  return {
    loadFromDefault: () => config.loadFromDefault(),
    getCurrentCluster: () => config.getCurrentCluster(),
    applyToHTTPSOptions: (options) => config.applyToHTTPSOptions(options),
  };
}

/**
 * A kubeconfig's current context (`KUBECONFIG`, else `~/.kube/config`): certificates, tokens, exec and
 * auth-provider plugins. The library renews an expired plugin token when it is asked, which is before
 * every request; after a 401 the whole file is read again, as its content may have been renewed.
 */
export class KubeconfigCredentials implements ApiCredentials {
  readonly ownNamespace = null;
  #config: KubeConfigReader | null = null;

  constructor(private readonly load: () => Promise<KubeConfigReader> = loadKubeConfigReader) {}

  async access(): Promise<ApiAccess> {
    const config = (this.#config ??= await this.#read());
    const cluster = config.getCurrentCluster();
    if (!cluster || !URL.canParse(cluster.server)) throw new Error('the kubeconfig names no usable cluster');
    if (cluster.proxyUrl) throw new Error('the kubeconfig wants a proxy-url, which is not supported');
    const options: KubeConfigOptions = {};
    await withinTime(config.applyToHTTPSOptions(options), 'the kubeconfig gave no credentials');
    return { server: cluster.server.replace(/\/+$/, ''), tls: tlsOf(options), headers: headersOf(options) };
  }

  rejected(): void {
    this.#config = null;
  }

  async #read(): Promise<KubeConfigReader> {
    const config = await this.load().catch((error: unknown) => {
      // An install that did not go by the lock file may have brought a version for a newer Node.
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(
        `@kubernetes/client-node, which reads kubeconfigs, cannot be loaded by Node ${process.versions.node}; ` +
          `take Node 22.19 or newer (${reason})`,
      );
    });
    config.loadFromDefault();
    return config;
  }
}

function tlsOf(options: KubeConfigOptions): ApiTls {
  const { ca, cert, key, servername, rejectUnauthorized } = options;
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(servername !== undefined && { servername }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  };
}

function headersOf(options: KubeConfigOptions): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {}))
    headers[name.toLowerCase()] = String(value);
  if (options.auth) headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  return headers;
}

async function withinTime<T>(work: Promise<T>, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${otherwise} within ${ACCESS_TIMEOUT_MS / 1000} s`)),
      ACCESS_TIMEOUT_MS,
    );
    timer.unref();
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
