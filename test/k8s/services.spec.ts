import { Logger } from '@nestjs/common';
import { KubernetesDiscovery } from '../../src/discovery/providers/kubernetes.discovery.js';
import { Cluster } from './support/cluster.js';
import { Figures, FollowedFleet, OPTIONS } from './support/followed-fleet.js';

const POD = { app: 'vllm', engine: 'e1' };
const RULES = [
  { apiGroups: [''], resources: ['services'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
];
const figures = new Figures('Services and EndpointSlices of a real API server');
let cluster: Cluster;
let fleet: FollowedFleet;

beforeAll(async () => {
  Logger.overrideLogger(false);
  cluster = await Cluster.start('services');
  await cluster.kubectl('apply', '-k', `${process.cwd()}/k8s`);
  await cluster.api('PATCH', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles/vllm-router', {
    rules: RULES,
  });
  const options = { ...OPTIONS, k8sServiceDiscoveryType: 'service-name' } as const;
  fleet = new FollowedFleet(new KubernetesDiscovery(options, await cluster.asPod('vllm-router')), figures);
});

afterAll(async () => {
  await fleet?.discovery.stop();
  await cluster?.wipe();
  figures.print();
});

it('follows whether a Service has a ready endpoint', async () => {
  await fleet.start();
  await fleet.says('the first lists', 'synced');
  const spec = { selector: POD, ports: [{ port: 8000 }] };
  await cluster.api('POST', '/api/v1/namespaces/default/services', {
    metadata: { name: 'e1', labels: POD },
    spec,
  });
  await cluster.addPod('e1', POD);
  await fleet.follows('its pod becomes ready', 'e1:8000', () => cluster.status('e1', { ip: '10.244.0.11' }));
  await fleet.follows('its pod becomes unready', '', () =>
    cluster.status('e1', { ip: '10.244.0.11', ready: false }),
  );
  await fleet.follows('its pod becomes ready again', 'e1:8000', () =>
    cluster.status('e1', { ip: '10.244.0.11' }),
  );
  await fleet.follows('its pod terminates', '', () => cluster.deletePod('e1', 30));
  await cluster.deletePod('e1', 0);
  await cluster.addPod('e1', POD);
  await fleet.follows('a successor becomes ready', 'e1:8000', () =>
    cluster.status('e1', { ip: '10.244.0.12' }),
  );
  await fleet.follows('the Service vanishes', '', () =>
    cluster.api('DELETE', '/api/v1/namespaces/default/services/e1'),
  );
});
