import { performance } from 'node:perf_hooks';
import { Logger } from '@nestjs/common';
import { request } from 'undici';
import { KubernetesDiscovery } from '../../src/discovery/providers/kubernetes.discovery.js';
import { ApiConnection } from '../../src/discovery/providers/kubernetes/api-connection.js';
import { Cluster } from './support/cluster.js';
import { Figures, FollowedFleet, OPTIONS } from './support/followed-fleet.js';

const figures = new Figures('an expired resourceVersion');
let cluster: Cluster;
let fleet: FollowedFleet;

beforeAll(async () => {
  Logger.overrideLogger(false);
  // Without its watch cache the API server forgets what etcd compacts.
  cluster = await Cluster.start('expired', '--watch-cache=false');
  await cluster.kubectl('apply', '-k', `${process.cwd()}/k8s`);
  const options = { ...OPTIONS, k8sWatcherTimeoutSeconds: 2 };
  fleet = new FollowedFleet(new KubernetesDiscovery(options, await cluster.asPod('vllm-router')), figures);
});

afterAll(async () => {
  await fleet?.discovery.stop();
  await cluster?.wipe();
  figures.print();
});

it('is cured by a list, and nothing is missed', async () => {
  const watched: { path: string; text: string }[] = [];
  const { prototype } = ApiConnection;
  const watch: ApiConnection['watch'] = Object.getOwnPropertyDescriptor(prototype, 'watch')?.value;
  jest.spyOn(prototype, 'watch').mockImplementation(async function* (this: ApiConnection, path, options) {
    const record = { path, text: '' };
    watched.push(record);
    for await (const chunk of watch.call(this, path, options)) {
      record.text += chunk.toString();
      yield chunk;
    }
  });
  const lists = jest.spyOn(prototype, 'get');

  await cluster.addPod('a', { app: 'vllm' });
  await cluster.addPod('unselected', { app: 'other' });
  await fleet.start();
  await fleet.follows('before', '127.0.0.61:8000', () => cluster.status('a', { ip: '127.0.0.61' }));
  for (let i = 0; i < 20; i += 1) await cluster.label('unselected', { turn: String(i) });
  const listed = lists.mock.calls.length;
  const { metadata } = (await cluster.api('GET', '/api/v1/pods')) as {
    metadata: { resourceVersion: string };
  };
  const compaction = JSON.stringify({ revision: metadata.resourceVersion, physical: true });
  const answer = await request(`${cluster.etcd}/v3/kv/compaction`, { method: 'POST', body: compaction });
  expect([answer.statusCode, await answer.body.text()]).toEqual([200, expect.any(String)]);
  const compacted = performance.now();
  const isExpired = () => watched.some(({ text }) => text.includes('"code":410'));
  await fleet.until('410 met, after the 2 s of the open watch', isExpired, 4_000, compacted);
  const met = performance.now();
  await fleet.until('listed again', () => lists.mock.calls.length > listed, 2_000, met);
  await fleet.follows('410: becomes unready right after', '', () => cluster.status('a', { ready: false }));
  expect(fleet.discovery.status).toMatchObject({ state: 'synced', reason: null });
});
