import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { Cluster } from './support/cluster.js';

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
  const { spec } = parse(readFileSync(`${FOLDER}/deployment.yaml`, 'utf8')).spec.template;
  const pods = '/api/v1/namespaces/default/pods?dryRun=All';
  const make = (changes: object) =>
    cluster.api('POST', pods, { metadata: { name: 'p' }, spec: { ...spec, ...changes } });
  await make({});
  await expect(make({ securityContext: {} })).rejects.toThrow('violates PodSecurity');
});
