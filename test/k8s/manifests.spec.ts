import { readdirSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { Cluster } from './support/cluster.js';
import { podOf, settingsOf } from './support/container-settings.js';

const FOLDER = `${process.cwd()}/k8s`;
let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start('manifests');
});

afterAll(async () => {
  await cluster?.wipe();
});

it('are accepted whole by a real API server', async () => {
  const answer = await cluster.kubectl('apply', '--dry-run=server', '-k', FOLDER);
  expect(answer.trim().split('\n').sort()).toEqual([
    'configmap/vllm-router created (server dry run)',
    'deployment.apps/vllm-router created (server dry run)',
    'poddisruptionbudget.policy/vllm-router created (server dry run)',
    'role.rbac.authorization.k8s.io/vllm-router created (server dry run)',
    'rolebinding.rbac.authorization.k8s.io/vllm-router created (server dry run)',
    'service/vllm-router created (server dry run)',
    'serviceaccount/vllm-router created (server dry run)',
  ]);
});

/** What `kubectl kustomize` makes of a folder. */
const build = async (folder: string) =>
  parseAllDocuments(await cluster.kubectl('kustomize', folder)).map((document) => document.toJS());

describe('the overlays', () => {
  const folder = (overlay: string): string => `${FOLDER}/overlays/${overlay}`;
  const overlays = readdirSync(`${FOLDER}/overlays`);

  it.each(overlays)('%s: is accepted by a real API server', async (overlay) => {
    const answer = await cluster.kubectl('apply', '--dry-run=server', '-k', folder(overlay));
    const made = answer.trim().split('\n');
    expect(made).toContain('deployment.apps/vllm-router created (server dry run)');
    expect(made.filter((line) => !line.endsWith(' created (server dry run)'))).toEqual([]);
  });

  it.each(overlays)('%s: the router starts with its args and its dynamic file', async (overlay) => {
    const settings = settingsOf(await build(folder(overlay)));
    const wanted: Record<string, Partial<typeof settings>> = {
      ha: { serviceDiscovery: 'k8s', routingLogic: 'roundrobin' },
      k8s: { serviceDiscovery: 'k8s', k8sLabelSelector: 'environment=test,release=test' },
      'k8s-services': { serviceDiscovery: 'k8s', k8sServiceDiscoveryType: 'service-name' },
      prefixaware: { routingLogic: 'prefixaware', workers: 2 },
      session: { routingLogic: 'session', sessionKey: 'x-user-id' },
      static: { serviceDiscovery: 'static', routingLogic: 'roundrobin' },
    };
    expect(settings).toMatchObject(wanted[overlay] ?? { overlay: 'is not in the list' });
  });

  it.each(overlays)(
    '%s: falls back to the same routing logic when the dynamic file is wrong',
    async (overlay) => {
      const manifests = await build(folder(overlay));
      const { args } = podOf(manifests).containers[0] ?? { args: [] };
      expect(args).toContain(`--routing-logic=${settingsOf(manifests).routingLogic}`);
    },
  );

  it('static: gives no rights, and no token to use them with', async () => {
    const manifests = await build(folder('static'));
    const kinds = new Set(manifests.map(({ kind }) => String(kind)));
    expect([...kinds].filter((kind) => kind.startsWith('Role'))).toEqual([]);
    expect(podOf(manifests)).toMatchObject({ automountServiceAccountToken: false });
  });

  it('ha: keeps two of three replicas while nodes are drained', async () => {
    const manifests = await build(folder('ha'));
    const of = (kind: string) => manifests.find((manifest) => manifest.kind === kind).spec;
    expect(of('Deployment').replicas).toBe(3);
    expect(of('PodDisruptionBudget')).toMatchObject({ minAvailable: 2 });
    expect(of('PodDisruptionBudget')).not.toHaveProperty('maxUnavailable');
  });
});

it('of observability that are no custom resources are accepted, too', async () => {
  const folder = `${FOLDER}/observability`;
  const accepted = [
    await cluster.kubectl('apply', '--dry-run=server', '-k', folder),
    await cluster.kubectl('apply', '--dry-run=server', '-f', `${folder}/hpa-engines.yaml`),
  ];
  expect(accepted.map((line) => line.trim())).toEqual([
    'configmap/vllm-router-dashboard created (server dry run)',
    'horizontalpodautoscaler.autoscaling/vllm-engines created (server dry run)',
  ]);
});

it('give the router the right to get, list and watch pods, and no other', async () => {
  await cluster.kubectl('apply', '-k', FOLDER);
  const may = async (verb: string, resource: string): Promise<string> => {
    const as = '--as=system:serviceaccount:default:vllm-router';
    const answer = await cluster
      .kubectl('auth', 'can-i', verb, resource, as, '-n', 'default')
      .catch(() => 'no');
    return answer.trim();
  };
  for (const verb of ['get', 'list', 'watch']) expect([verb, await may(verb, 'pods')]).toEqual([verb, 'yes']);
  for (const verb of ['create', 'update', 'patch', 'delete'])
    expect([verb, await may(verb, 'pods')]).toEqual([verb, 'no']);
  for (const resource of ['secrets', 'configmaps', 'services']) {
    expect([resource, await may('get', resource)]).toEqual([resource, 'no']);
  }
});

it('make pods that a namespace with the restricted Pod Security Standard admits', async () => {
  await cluster.kubectl('label', 'namespace', 'default', 'pod-security.kubernetes.io/enforce=restricted');
  const spec = podOf(await build(FOLDER));
  const pods = '/api/v1/namespaces/default/pods?dryRun=All';
  const make = (changes: object) =>
    cluster.api('POST', pods, { metadata: { name: 'p' }, spec: { ...spec, ...changes } });
  await make({});
  await expect(make({ securityContext: {} })).rejects.toThrow('violates PodSecurity');
});
