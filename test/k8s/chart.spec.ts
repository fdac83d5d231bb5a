import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { Cluster } from './support/cluster.js';
import { podOf, settingsOf } from './support/container-settings.js';
import { run } from './support/kube-tools.js';

// jest.k8s.config.cjs leaves this file out where there is no helm.
const HELM = process.env['HELM'] ?? 'helm';
const CHART = `${process.cwd()}/charts/vllm-router`;
const NAMESPACE = 'chart';

/** Values, by what somebody wants. */
const VALUES = {
  'the defaults': {},
  'static engines and sessions': {
    discovery: {
      type: 'static',
      static: { backends: ['http://a:8000', 'http://b:8000'], models: ['m', 'm'] },
    },
    routing: { logic: 'session', sessionKey: 'x-user-id' },
    replicaCount: 3,
    podDisruptionBudget: { maxUnavailable: '50%' },
  },
  everything: {
    fullnameOverride: 'router',
    image: { repository: 'registry.example/vllm-router', tag: 'test' },
    imagePullSecrets: [{ name: 'pull' }],
    workers: 2,
    discovery: { k8s: { namespace: 'default', labelSelector: 'a=b,c in (d,e)', by: 'service-name' } },
    routing: { logic: 'prefixaware' },
    dynamicConfig: { service_discovery: 'k8s', k8s_label_selector: 'a=b', routing_logic: 'prefixaware' },
    extraArgs: ['--ttft-target=2', '--tenant-header=x-tenant'],
    extraEnv: [{ name: 'VLLM_ROUTER_ADMIN_KEY', value: 'secret' }],
    shutdown: { delay: 10, timeout: 60 },
    engineApiKey: { existingSecret: 'engines' },
    clientKeys: { existingSecret: 'clients' },
    tls: { existingSecret: 'certificate' },
    adminPort: { enabled: true },
    service: { type: 'LoadBalancer', port: 443, annotations: { a: 'b' } },
    ingress: { enabled: true, className: 'nginx', hosts: [{ host: 'llm.example.org' }] },
    serviceAccount: { annotations: { a: 'b' } },
    autoscaling: { enabled: true },
    podAnnotations: { a: 'b' },
    podLabels: { team: 'a' },
    extraVolumes: [{ name: 'more', emptyDir: {} }],
    extraVolumeMounts: [{ name: 'more', mountPath: '/more' }],
    nodeSelector: { a: 'b' },
    tolerations: [{ key: 'a', operator: 'Exists' }],
    topologySpreadConstraints: [
      { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {} },
    ],
  },
} as const;
type Wish = keyof typeof VALUES;
const wishes = Object.keys(VALUES) as Wish[];

const folder = mkdtempSync(join(tmpdir(), 'vllm-router-chart-'));
let cluster: Cluster;
let environment: NodeJS.ProcessEnv;

const helm = (...args: string[]): Promise<string> => run(HELM, args, { env: environment });
/** Flags that give the values; the file is written anew each time. */
const given = (values: object): string[] => {
  const file = join(folder, 'values.yaml');
  writeFileSync(file, stringify(values));
  return ['--namespace', NAMESPACE, '--values', file];
};
const render = async (values: object): Promise<string> =>
  helm('template', 'release', CHART, ...given(values), '--kube-version', '1.35');
const manifestsOf = async (values: object) =>
  parseAllDocuments(await render(values))
    .map((document) => document.toJS())
    .filter((manifest) => manifest !== null);

beforeAll(async () => {
  cluster = await Cluster.start('chart');
  environment = {
    ...process.env,
    KUBECONFIG: cluster.kubeconfig,
    // Nothing of a helm that somebody uses on this machine.
    ...Object.fromEntries(['CACHE', 'CONFIG', 'DATA'].map((kind) => [`HELM_${kind}_HOME`, folder])),
  };
  await cluster.kubectl('create', 'namespace', NAMESPACE);
});

afterAll(async () => {
  await cluster?.wipe();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(wishes)('the chart with %s', (wish) => {
  const values = VALUES[wish];

  it('has no fault that helm lint finds', async () => {
    expect(await helm('lint', '--strict', CHART, ...given(values))).toContain('0 chart(s) failed');
  });

  it('is accepted by a real API server', async () => {
    await helm('install', 'release', CHART, ...given(values), '--dry-run=server');
    const file = join(folder, 'manifests.yaml');
    writeFileSync(file, await render(values));
    const answer = await cluster.kubectl('apply', '--dry-run=server', '-f', file);
    expect(
      answer
        .trim()
        .split('\n')
        .filter((line) => !line.endsWith('created (server dry run)')),
    ).toEqual([]);
    expect(answer).toContain('deployment.apps/');
  });

  it('starts the router with args that it takes', async () => {
    const settings = settingsOf(await manifestsOf(values));
    const wanted: Record<Wish, Partial<typeof settings>> = {
      'the defaults': { serviceDiscovery: 'k8s', k8sNamespace: NAMESPACE, k8sLabelSelector: 'app=vllm' },
      'static engines and sessions': { staticModels: ['m', 'm'], sessionKey: 'x-user-id' },
      everything: { workers: 2, ttftTarget: 2, adminPort: 9001, k8sNamespace: 'default' },
    };
    expect(settings).toMatchObject(wanted[wish]);
  });

  it('makes pods that a namespace with the restricted Pod Security Standard admits', async () => {
    const label = 'pod-security.kubernetes.io/enforce=restricted';
    await cluster.kubectl('label', '--overwrite', 'namespace', NAMESPACE, label);
    const spec = { ...podOf(await manifestsOf(values)), serviceAccountName: 'default' };
    await cluster.api('POST', `/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All`, {
      metadata: { name: 'p' },
      spec: { ...spec, priorityClassName: undefined },
    });
  });

  it('gives the router time to go down before it is killed', async () => {
    const manifests = await manifestsOf(values);
    const { shutdownDelay, shutdownTimeout } = settingsOf(manifests);
    expect(podOf(manifests)).toHaveProperty(
      'terminationGracePeriodSeconds',
      shutdownDelay + shutdownTimeout + 20,
    );
  });
});

it('refuses values that cannot be meant, by name', async () => {
  const wrong: readonly [object, RegExp][] = [
    [{ replicas: 3 }, /replicas/],
    [{ discovery: { type: 'static' } }, /backends/],
    [{ discovery: { type: 'static', static: { backends: ['a:8000'] } } }, /backends/],
    [{ routing: { logic: 'session' } }, /sessionKey/],
    [{ dynamicConfig: { routing_logic: 'session' } }, /service_discovery/],
    [{ ingress: { enabled: true } }, /hosts/],
    [{ service: { port: 'http' } }, /port/],
  ];
  for (const [values, named] of wrong) await expect(render(values)).rejects.toThrow(named);
});

it('says in its notes where the router is and what it sends to', async () => {
  const notes = await helm('install', 'release', CHART, ...given({}), '--dry-run=server');
  expect(notes).toContain('http://release-vllm-router.chart:80');
  expect(notes).toContain('pods with app=vllm in the namespace chart');
});

it('makes a PodMonitor where one is wanted', async () => {
  const kinds = async (values: object) => (await manifestsOf(values)).map(({ kind }) => kind);
  expect(await kinds({})).not.toContain('PodMonitor');
  expect(await kinds({ podMonitor: { enabled: true } })).toContain('PodMonitor');
});

it('installs, upgrades and goes again; its rights are those to read engines', async () => {
  await helm('install', 'release', CHART, ...given({}));
  const account = `--as=system:serviceaccount:${NAMESPACE}:release-vllm-router`;
  const may = async (verb: string, resource: string): Promise<string> =>
    (
      await cluster.kubectl('auth', 'can-i', verb, resource, account, '-n', NAMESPACE).catch(() => 'no')
    ).trim();
  expect([await may('watch', 'pods'), await may('get', 'secrets')]).toEqual(['yes', 'no']);
  expect([await may('delete', 'pods'), await may('watch', 'services')]).toEqual(['no', 'no']);

  const changed = { discovery: { k8s: { by: 'service-name' } } };
  await helm('upgrade', 'release', CHART, ...given(changed));
  expect([await may('watch', 'services'), await may('watch', 'pods')]).toEqual(['yes', 'no']);

  await helm('uninstall', 'release', '--namespace', NAMESPACE);
  const left = await cluster.kubectl('get', 'deployment,service,role,pdb', '-n', NAMESPACE, '-o', 'name');
  expect(left.trim()).toBe('');
});
