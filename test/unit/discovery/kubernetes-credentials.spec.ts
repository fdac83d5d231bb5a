import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { KubernetesDiscovery } from '../../../src/discovery/providers/kubernetes.discovery.js';
import { ApiConnection, ApiFailure } from '../../../src/discovery/providers/kubernetes/api-connection.js';
import { findCredentials } from '../../../src/discovery/providers/kubernetes/find-credentials.js';
import type { KubeConfigReader } from '../../../src/discovery/providers/kubernetes/kubeconfig-credentials.js';
import { LIST_WATCH_LIMITS } from '../../../src/discovery/providers/kubernetes/list-watch-limits.js';
import { FakeKubeApi } from '../../support/fake-kube-api.js';

let folder: string;
beforeAll(() => Logger.overrideLogger(false));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vllm-router-kube-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string) => writeFileSync(join(folder, name), content);
const inCluster = (env: NodeJS.ProcessEnv) => findCredentials({ env, secretsDir: folder, home: folder });

/** A kubeconfig library that counts how often it is loaded. */
function reader(cluster: { server: string; proxyUrl?: string }, options: object = {}) {
  const calls = { loads: 0 };
  const load = (): Promise<KubeConfigReader> => {
    calls.loads += 1;
    return Promise.resolve({
      loadFromDefault: () => undefined,
      getCurrentCluster: () => cluster,
      applyToHTTPSOptions: (filled) => {
        Object.assign(filled, options, { headers: { Authorization: `Bearer load-${calls.loads}` } });
        return Promise.resolve();
      },
    });
  };
  return { calls, load };
}

describe('credentials in a pod', () => {
  it('are the token, the CA and the address that the kubelet gives, read anew each time', async () => {
    write('token', 'first\n');
    write('ca.crt', 'CA');
    write('namespace', 'prod\n');
    const credentials = await inCluster({
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
      KUBERNETES_SERVICE_PORT: '6443',
    });
    expect(credentials.ownNamespace).toBe('prod');
    expect(await credentials.access()).toEqual({
      server: 'https://10.96.0.1:6443',
      tls: { ca: 'CA' },
      headers: { authorization: 'Bearer first' },
    });
    write('token', 'second');
    expect((await credentials.access()).headers).toEqual({ authorization: 'Bearer second' });
  });

  it('reach an IPv6 service network', async () => {
    write('token', 't');
    const credentials = await inCluster({
      KUBERNETES_SERVICE_HOST: 'fd00:10:96::1',
      KUBERNETES_SERVICE_PORT: '443',
    });
    expect((await credentials.access()).server).toBe('https://[fd00:10:96::1]:443');
  });

  it('say what is missing when the token is taken away', async () => {
    write('token', 't');
    const credentials = await inCluster({ KUBERNETES_SERVICE_HOST: '10.96.0.1' });
    rmSync(join(folder, 'token'));
    await expect(credentials.access()).rejects.toThrow(`cannot read the ServiceAccount token in ${folder}`);
  });
});

describe('credentials of a kubeconfig', () => {
  const kubeconfig = (load: () => Promise<KubeConfigReader>) => {
    write('config', '');
    return findCredentials({
      env: { KUBECONFIG: join(folder, 'config') },
      secretsDir: join(folder, 'none'),
      loadKubeConfig: load,
    });
  };

  it('say what to do where the library cannot be loaded', async () => {
    const load = () => Promise.reject(new TypeError("Cannot read properties of undefined (reading 'bind')"));
    await expect((await kubeconfig(load)).access()).rejects.toThrow(
      /^@kubernetes\/client-node, which reads kubeconfigs, cannot be loaded by Node [\d.]+; take Node 22\.19 or newer \(Cannot/,
    );
  });

  it('load the library only when they are used, and again after a 401', async () => {
    const { calls, load } = reader({ server: 'https://api.example/k8s/' }, { ca: 'CA', servername: 'api' });
    const credentials = await kubeconfig(load);
    expect(calls.loads).toBe(0);
    expect(await credentials.access()).toEqual({
      server: 'https://api.example/k8s',
      tls: { ca: 'CA', servername: 'api' },
      headers: { authorization: 'Bearer load-1' },
    });
    await credentials.access();
    expect(calls.loads).toBe(1);
    credentials.rejected();
    expect((await credentials.access()).headers).toEqual({ authorization: 'Bearer load-2' });
  });

  it('send a user name and password as basic authentication', async () => {
    const load = () =>
      Promise.resolve<KubeConfigReader>({
        loadFromDefault: () => undefined,
        getCurrentCluster: () => ({ server: 'https://api' }),
        applyToHTTPSOptions: (options) => Promise.resolve(void (options.auth = 'u:p')),
      });
    expect((await (await kubeconfig(load)).access()).headers).toEqual({ authorization: 'Basic dTpw' });
  });

  it('refuse what they cannot do, in words', async () => {
    const viaProxy = await kubeconfig(reader({ server: 'https://api', proxyUrl: 'http://proxy' }).load);
    await expect(viaProxy.access()).rejects.toThrow('proxy-url');
    const nowhere = await kubeconfig(reader({ server: 'nonsense' }).load);
    await expect(nowhere.access()).rejects.toThrow('names no usable cluster');
  });
});

describe('no credentials', () => {
  it('make the discovery refuse to start with one sentence that names both ways', async () => {
    const discovery = new KubernetesDiscovery(
      {
        k8sPort: 8000,
        k8sNamespace: 'default',
        k8sLabelSelector: '',
        k8sServiceDiscoveryType: 'pod-ip',
        k8sWatcherTimeoutSeconds: 0,
      },
      { env: { KUBERNETES_SERVICE_HOST: '10.96.0.1' }, secretsDir: folder, home: folder },
    );
    await expect(discovery.start(() => undefined)).rejects.toThrow(
      `--service-discovery k8s needs a ServiceAccount token in ${folder} or a kubeconfig, and there is no file at ${join(folder, '.kube', 'config')}`,
    );
  });
});

describe('ApiConnection', () => {
  it('asks for access before every request and tells a refused token', async () => {
    const api = new FakeKubeApi();
    api.token = 'load-2';
    await api.start();
    const { calls, load } = reader({ server: `${api.url}/prefix` });
    write('config', '');
    const credentials = await findCredentials({
      env: { KUBECONFIG: join(folder, 'config') },
      secretsDir: join(folder, 'none'),
      loadKubeConfig: load,
    });
    const connection = await ApiConnection.open(credentials, LIST_WATCH_LIMITS);
    const { signal } = new AbortController();
    await expect(connection.get('/api/v1/pods', signal)).rejects.toMatchObject({ status: 401 });
    await expect(connection.get('/api/v1/pods', signal)).resolves.toMatchObject({ items: [] });
    expect(calls.loads).toBe(2);
    api.deniedLists.add('pods');
    const refused = connection.get('/api/v1/pods', signal);
    await expect(refused).rejects.toBeInstanceOf(ApiFailure);
    await expect(refused).rejects.toThrow('HTTP 403: pods is forbidden: cannot list resource "pods"');
    connection.close();
    await api.stop();
  });
});
