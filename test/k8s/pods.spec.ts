import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { Logger } from '@nestjs/common';
import { KubernetesDiscovery } from '../../src/discovery/providers/kubernetes.discovery.js';
import { Cluster } from './support/cluster.js';
import { Figures, FollowedFleet, OPTIONS } from './support/followed-fleet.js';

const POD = { app: 'vllm' };
const ROLE = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles/vllm-router';
const RULES = `${process.cwd()}/k8s/base/role.yaml`;

const figures = new Figures('pods of a real API server, with the Role of k8s/ alone');
let cluster: Cluster;
let secrets: Awaited<ReturnType<Cluster['asPod']>>;
let fleet: FollowedFleet;

const allow = (...verbs: readonly string[]) =>
  cluster.api('PATCH', ROLE, {
    rules: verbs.length > 0 ? [{ apiGroups: [''], resources: ['pods'], verbs }] : [],
  });
const start = async (watchSeconds = 0): Promise<void> => {
  const options = { ...OPTIONS, k8sWatcherTimeoutSeconds: watchSeconds };
  fleet = new FollowedFleet(new KubernetesDiscovery(options, secrets), figures);
  await fleet.start();
};
const addReady = async (name: string, ip: string): Promise<void> => {
  await cluster.addPod(name, POD);
  await cluster.status(name, { ip });
};

beforeAll(async () => {
  Logger.overrideLogger(false);
  cluster = await Cluster.start('pods');
  await cluster.kubectl('apply', '-k', `${process.cwd()}/k8s`);
  secrets = await cluster.asPod('vllm-router');
});

afterAll(async () => {
  await cluster?.wipe();
  figures.print();
});

afterEach(async () => {
  await fleet.discovery.stop();
  await cluster.kubectl('delete', 'pods', '-l', 'app=vllm', '--grace-period=0', '--force');
  await cluster.kubectl('replace', '-f', RULES);
});

it('follows the life of pods', async () => {
  await start();
  await fleet.says('the first list', 'synced');
  await fleet.follows('appears, then becomes ready', '127.0.0.11:8000', () => addReady('a', '127.0.0.11'));
  expect(fleet.engines[0]?.labels).toMatchObject(POD);
  await cluster.addPod('b', POD);
  await cluster.status('b', { ip: '127.0.0.12', ready: false });
  await fleet.follows('becomes ready', '127.0.0.11:8000 127.0.0.12:8000', () => cluster.status('b', {}));
  await fleet.follows('becomes unready', '127.0.0.11:8000', () => cluster.status('b', { ready: false }));
  await fleet.follows('becomes ready again', '127.0.0.11:8000 127.0.0.12:8000', () =>
    cluster.status('b', {}),
  );
  await fleet.follows('label leaves the selector', '127.0.0.12:8000', () =>
    cluster.label('a', { app: 'other' }),
  );
  await fleet.follows('label comes back', '127.0.0.11:8000 127.0.0.12:8000', () => cluster.label('a', POD));
  await fleet.follows('terminates (grace 30 s, still Running and Ready)', '127.0.0.12:8000', () =>
    cluster.deletePod('a', 30),
  );
  const published = fleet.published;
  await cluster.deletePod('a', 0);
  await fleet.follows('fails, keeping its address', '', () =>
    cluster.status('b', { phase: 'Failed', ready: false }),
  );
  expect(fleet.published).toBe(published + 1);
  await fleet.follows('another appears', '127.0.0.13:8000', () => addReady('c', '127.0.0.13'));
  await fleet.follows('vanishes (force delete)', '', () => cluster.deletePod('c', 0));
});

it('follows a same-named successor at the same address', async () => {
  await start();
  await fleet.follows('first', '127.0.0.21:8000', () => addReady('same', '127.0.0.21'));
  const first = fleet.engines[0]?.id;
  const began = performance.now();
  await cluster.deletePod('same', 0);
  await addReady('same', '127.0.0.21');
  const isSuccessor = () => fleet.urls === '127.0.0.21:8000' && fleet.engines[0]?.id !== first;
  await fleet.until('same-named successor', isSuccessor, 2_000, began);
});

it('lists where watching is denied, says so, and watches again once it may', async () => {
  await allow('get', 'list');
  await start();
  await fleet.says('denied watch is told', 'degraded', 'cannot watch pods of namespace default');
  expect(fleet.discovery.status.reason).toContain('is forbidden');
  await fleet.follows('denied watch: becomes ready', '127.0.0.31:8000', () => addReady('w', '127.0.0.31'));
  await fleet.follows('denied watch: becomes unready', '', () => cluster.status('w', { ready: false }));
  await allow('get', 'list', 'watch');
  await fleet.says('watch allowed again', 'synced');
  await fleet.follows('followed again', '127.0.0.31:8000', () => cluster.status('w', {}));
});

it('keeps its engines where listing becomes denied, says why, and catches up', async () => {
  await start(2);
  await fleet.follows('before', '127.0.0.41:8000', () => addReady('l', '127.0.0.41'));
  await allow();
  // An open watch outlives its permission: the 2 s of this one have to pass.
  await fleet.says(
    'denied list is told (after the 2 s of the open watch)',
    'degraded',
    'cannot list pods',
    4_500,
  );
  expect(fleet.discovery.status.reason).toContain('is forbidden');
  await cluster.status('l', { ready: false });
  await cluster.addPod('m', POD);
  await cluster.status('m', { ip: '127.0.0.42' });
  expect(fleet.urls).toBe('127.0.0.41:8000');
  const restore = () => allow('get', 'list', 'watch');
  await fleet.follows('list allowed again: no zombie, the new pod is there', '127.0.0.42:8000', restore);
  await fleet.says('and says so', 'synced');
});

it('reads a renewed token from its file', async () => {
  await start(1);
  await fleet.says('with a good token', 'synced');
  const file = join(secrets.secretsDir, 'token');
  writeFileSync(file, 'not.a.token');
  await fleet.says('bad token is told (after the 1 s of the open watch)', 'degraded', '401', 4_000);
  const began = performance.now();
  writeFileSync(file, await cluster.token('vllm-router'));
  await fleet.says('good token again', 'synced', '', 3_000, began);
});

describe('while the API server', () => {
  /** Makes the pod unready as soon as the API server takes it; the moment of that. */
  const changeWhenBack = async (): Promise<number> => {
    for (;;) {
      try {
        await cluster.status('s', { ready: false });
        return performance.now();
      } catch (error) {
        if (!cluster.starting) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  };
  const backUp = async (): Promise<number> => {
    const up = cluster.up();
    const [answered] = await Promise.all([changeWhenBack(), up]);
    return answered;
  };

  beforeEach(async () => {
    await start();
    await fleet.says('the first list', 'synced');
    await fleet.follows('before trouble', '127.0.0.51:8000', () => addReady('s', '127.0.0.51'));
  });

  it('is killed and comes back, keeps its engines and follows within 5 s', async () => {
    const killed = performance.now();
    await cluster.killApiServer();
    await fleet.says('KILL: told', 'degraded', 'ECONNREFUSED', 2_000, killed);
    expect(fleet.urls).toBe('127.0.0.51:8000');
    const answered = await backUp();
    await fleet.until(
      'KILL and restart: change right after it answers again',
      () => fleet.urls === '',
      5_000,
      answered,
    );
    await fleet.says('KILL and restart: synced', 'synced', '', 5_000, answered);
  });

  it('is told to stop, which leaves watches open and silent, and comes back', async () => {
    const told = performance.now();
    cluster.signalApiServer('SIGTERM');
    await fleet.says('TERM: told, though the watch stays open', 'degraded', 'ECONNREFUSED', 2_000, told);
    expect(fleet.urls).toBe('127.0.0.51:8000');
    await cluster.killApiServer();
    const answered = await backUp();
    await fleet.until(
      'TERM and restart: change right after it answers again',
      () => fleet.urls === '',
      5_000,
      answered,
    );
  });

  it('is frozen, notices the silence, keeps its engines and follows afterwards', async () => {
    const frozen = performance.now();
    cluster.signalApiServer('SIGSTOP');
    try {
      await fleet.says('frozen: told', 'degraded', '', 12_000, frozen);
      expect(fleet.urls).toBe('127.0.0.51:8000');
    } finally {
      cluster.signalApiServer('SIGCONT');
    }
    await fleet.follows(
      'frozen and thawed: becomes unready',
      '',
      () => cluster.status('s', { ready: false }),
      5_000,
    );
    await fleet.says('frozen and thawed: synced', 'synced', '', 5_000);
  });
});
