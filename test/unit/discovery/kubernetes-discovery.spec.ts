import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { EngineSpec } from '../../../src/core/engine.js';
import {
  KubernetesDiscovery,
  type KubernetesDiscoveryOptions,
} from '../../../src/discovery/providers/kubernetes.discovery.js';
import type { ListWatchLimits } from '../../../src/discovery/providers/kubernetes/list-watch-limits.js';
import { SystemTimers } from '../../../src/discovery/timers.js';
import { FakeKubeApi, fakePod } from '../../support/fake-kube-api.js';

const OPTIONS: KubernetesDiscoveryOptions = {
  k8sPort: 8000,
  k8sNamespace: 'lab',
  k8sLabelSelector: 'app=vllm',
  k8sServiceDiscoveryType: 'pod-ip',
  k8sWatcherTimeoutSeconds: 0,
};

const QUICK: Partial<ListWatchLimits> = {
  pollMs: 20,
  retryMs: 20,
  answerMs: 300,
  pingMs: 20,
  shortWatchMs: 0,
};

/** Real timers with a clock that moves by one second at each look. */
class CountingTimers extends SystemTimers {
  #now = 0;

  override now(): number {
    this.#now += 1000;
    return this.#now;
  }
}

/** A running discovery and what it published. */
class Followed {
  urls: readonly string[] | null = null;
  engines: readonly EngineSpec[] = [];
  publications = 0;
  /** Called with each publication, before anybody hears of it. */
  onPublish: (() => void) | null = null;
  readonly #waiting = new Set<() => void>();

  private constructor(readonly discovery: KubernetesDiscovery) {}

  static async of(
    api: FakeKubeApi,
    options: Partial<KubernetesDiscoveryOptions> = {},
    limits: Partial<ListWatchLimits> = {},
  ): Promise<Followed> {
    const folder = mkdtempSync(join(tmpdir(), 'vllm-router-kube-'));
    const file = join(folder, 'config');
    writeFileSync(file, '');
    const discovery = new KubernetesDiscovery(
      { ...OPTIONS, ...options },
      {
        env: { KUBECONFIG: file },
        secretsDir: folder,
        timers: new CountingTimers(),
        limits: { ...QUICK, ...limits },
        loadKubeConfig: () =>
          Promise.resolve({
            loadFromDefault: () => undefined,
            getCurrentCluster: () => ({ server: api.url }),
            applyToHTTPSOptions: () => Promise.resolve(),
          }),
      },
    );
    const followed = new Followed(discovery);
    started.push(followed);
    await discovery.start((engines) => {
      followed.publications += 1;
      followed.onPublish?.();
      followed.engines = engines;
      followed.urls = engines.map((engine) => engine.url);
      for (const look of followed.#waiting) look();
    });
    rmSync(folder, { recursive: true });
    return followed;
  }

  /** Resolves once exactly the engines at these last bytes of 10.0.0.x are published. */
  async hosts(...last: readonly number[]): Promise<void> {
    const wanted = JSON.stringify(last.map((byte) => `http://10.0.0.${byte}:8000`));
    await this.until(() => JSON.stringify(this.urls) === wanted);
  }

  /** Resolves once this holds; looked at after each publication. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  /** Resolves once the status has this state and, if given, a reason with these words. */
  async state(state: string, words = ''): Promise<void> {
    let last = '';
    for (;;) {
      const status = this.discovery.status;
      if (status.state === state && (status.reason ?? '').includes(words)) return;
      if (status.state === 'stopped')
        throw new Error(`stopped while waiting for ${state} ${words}; last: ${last}`);
      last = `${status.state} ${status.reason}`;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const started: Followed[] = [];
let api: FakeKubeApi;
const pod = (last: number, overrides: Parameters<typeof fakePod>[1] = {}) =>
  fakePod(`p${last}`, { ip: `10.0.0.${last}`, ...overrides });
const lists = () => api.seen.filter((request) => !request.watch).length;

beforeAll(() => Logger.overrideLogger(false));

beforeEach(async () => {
  api = new FakeKubeApi();
  await api.start();
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((followed) => followed.discovery.stop()));
  await api.stop();
});

describe('KubernetesDiscovery, pod-ip', () => {
  it('publishes the ready pods of the selector and follows each change of them', async () => {
    api.put('pods', pod(1));
    api.put('pods', pod(2, { ready: false }));
    api.put('pods', pod(9, { labels: { app: 'other' } }));
    const followed = await Followed.of(api);
    await followed.hosts(1);
    expect(followed.engines).toEqual([
      { id: 'http://10.0.0.1:8000#uid-p1', url: 'http://10.0.0.1:8000', labels: { app: 'vllm' } },
    ]);
    await api.until(() => api.openWatches === 1);
    const after = async (change: () => void, ...last: readonly number[]) => {
      change();
      await followed.hosts(...last);
    };
    await after(() => api.put('pods', pod(2)), 1, 2);
    await after(() => api.put('pods', pod(1, { ready: false })), 2);
    await after(() => api.put('pods', pod(1)), 1, 2);
    await after(() => api.put('pods', pod(2, { terminating: true })), 1);
    await after(() => api.remove('pods', 'uid-p2'), 1);
    await after(() => api.put('pods', pod(1, { phase: 'Failed' })));
    await after(() => api.put('pods', pod(3)), 3);
    await after(() => api.put('pods', pod(3, { labels: { app: 'other' } })));
    await after(() => api.put('pods', pod(3)), 3);
    await after(() => {
      api.remove('pods', 'uid-p3');
      api.put('pods', pod(4, { uid: 'uid-p3-again' }));
    }, 4);
    expect(lists()).toBe(1);
  });

  it('tells a same-named successor at the same address apart by its uid', async () => {
    api.put('pods', pod(1));
    const followed = await Followed.of(api);
    await followed.hosts(1);
    await api.until(() => api.openWatches === 1);
    api.remove('pods', 'uid-p1');
    await followed.hosts();
    api.put('pods', pod(1, { uid: 'second' }));
    await followed.hosts(1);
    expect(followed.engines[0]?.id).toBe('http://10.0.0.1:8000#second');
  });

  it('publishes an empty namespace as an empty set', async () => {
    const followed = await Followed.of(api);
    await followed.hosts();
    expect(followed.discovery.status).toMatchObject({ state: 'synced', reason: null });
  });

  it('asks for bookmarks, a length and the selector, and reads lists page by page', async () => {
    api.pageSize = 2;
    for (const last of [1, 2, 3, 4, 5]) api.put('pods', pod(last));
    const followed = await Followed.of(api, { k8sWatcherTimeoutSeconds: 45 });
    await followed.hosts(1, 2, 3, 4, 5);
    await api.until(() => api.openWatches === 1);
    expect(lists()).toBe(3);
    const watch = api.seen.find((request) => request.watch);
    expect(Object.fromEntries(watch?.query ?? [])).toEqual({
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: '105',
      timeoutSeconds: '45',
      labelSelector: 'app=vllm',
    });
  });

  it('renews a watch that ended cleanly from the last version, without a list', async () => {
    const followed = await Followed.of(api);
    await followed.hosts();
    await api.until(() => api.openWatches === 1);
    api.put('pods', pod(1));
    await followed.hosts(1);
    api.write('{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"150"}}}\n');
    api.endWatches();
    await api.until(() => api.seen.filter((request) => request.watch).length === 2);
    expect(api.seen.at(-1)?.query.get('resourceVersion')).toBe('150');
    expect(lists()).toBe(1);
  });

  it('finds by a list what it missed while its version expired', async () => {
    api.put('pods', pod(1));
    const followed = await Followed.of(api);
    await followed.hosts(1);
    await api.until(() => api.openWatches === 1);
    api.remove('pods', 'uid-p1', false);
    api.put('pods', pod(2), false);
    api.expireWatches();
    await followed.hosts(2);
    expect(followed.discovery.status.state).toBe('synced');
  });

  it.each<[string, (fake: FakeKubeApi) => void]>([
    ['is reset', (fake) => fake.resetWatches()],
    ['carries a line that is no JSON', (fake) => fake.write('{"type":\n')],
    ['carries an unknown event', (fake) => fake.write('{"type":"EVIL"}\n')],
    ['carries a line without an end', (fake) => fake.write(Buffer.alloc(9 * 1024 * 1024, 'x'))],
    ['reports an error', (fake) => fake.write('{"type":"ERROR","object":{"code":500,"message":"etcd"}}\n')],
  ])('lists again when the watch %s', async (_title, trouble) => {
    api.put('pods', pod(1));
    const followed = await Followed.of(api);
    await followed.hosts(1);
    await api.until(() => api.openWatches === 1);
    api.remove('pods', 'uid-p1', false);
    trouble(api);
    await followed.hosts();
    await api.until(() => api.openWatches === 1);
    await followed.state('synced');
  });

  it('understands events however the bytes arrive', async () => {
    const followed = await Followed.of(api);
    await followed.hosts();
    await api.until(() => api.openWatches === 1);
    const line = Buffer.from(`${JSON.stringify({ type: 'ADDED', object: pod(7) })}\n`);
    for (const byte of line) api.write(Buffer.of(byte));
    await followed.hosts(7);
  });

  it('opens a watch that cannot be pinged anew after a silence, from its last version', async () => {
    api.put('pods', pod(1));
    const followed = await Followed.of(api, {}, { quietMs: 50 });
    await followed.hosts(1);
    const watches = () => api.seen.filter((request) => request.watch);
    await api.until(() => watches().length >= 3);
    expect(watches().map((request) => request.query.get('resourceVersion'))).toEqual(
      watches().map(() => '101'),
    );
    expect(lists()).toBe(1);
    expect(followed.discovery.status.state).toBe('synced');
  });

  it('notices a dead connection once the silent watch is opened anew', async () => {
    api.put('pods', pod(1));
    const followed = await Followed.of(api, {}, { quietMs: 50 });
    await followed.hosts(1);
    await api.until(() => api.openWatches === 1);
    api.frozen = true;
    await followed.state(
      'degraded',
      'cannot watch pods of namespace lab: the API server was silent for 0.3 s',
    );
    expect(followed.urls).toEqual(['http://10.0.0.1:8000']);
    api.remove('pods', 'uid-p1', false);
    api.frozen = false;
    await followed.hosts();
  });

  it('keeps what it knows while the API server is away, says why and since when, and catches up', async () => {
    api.put('pods', pod(1));
    const followed = await Followed.of(api);
    await followed.hosts(1);
    await followed.state('synced');
    const since = followed.discovery.status.since;
    await api.stop();
    await followed.state('degraded', 'cannot list pods of namespace lab: connect ECONNREFUSED');
    const degraded = followed.discovery.status;
    expect(degraded.since).toBeGreaterThan(since);
    expect(followed.urls).toEqual(['http://10.0.0.1:8000']);
    api.remove('pods', 'uid-p1');
    api.put('pods', pod(2));
    await api.start();
    await followed.hosts(2);
    await followed.state('synced');
    expect(followed.discovery.status.since).toBeGreaterThan(degraded.since);
  });

  it('keeps what it knows while the API server accepts and never answers', async () => {
    api.put('pods', pod(1));
    const followed = await Followed.of(api);
    await followed.hosts(1);
    await api.until(() => api.openWatches === 1);
    api.frozen = true;
    api.resetWatches();
    await followed.state('degraded', 'silent for 0.3 s');
    expect(followed.urls).toEqual(['http://10.0.0.1:8000']);
    api.frozen = false;
    api.put('pods', pod(2));
    await followed.hosts(1, 2);
    await followed.state('synced');
  });

  it('lists on a short period where watching is denied, says so, and watches once it is allowed', async () => {
    api.deniedWatches.add('pods');
    api.put('pods', pod(1));
    const followed = await Followed.of(api);
    await followed.state(
      'degraded',
      'cannot watch pods of namespace lab, listing every 2 s instead: HTTP 403',
    );
    api.put('pods', pod(2));
    await followed.hosts(1, 2);
    api.remove('pods', 'uid-p1');
    await followed.hosts(2);
    expect(followed.discovery.status.state).toBe('degraded');
    api.deniedWatches.clear();
    await api.until(() => api.openWatches === 1);
    await followed.state('synced');
  });

  it('keeps what it knows where listing becomes denied, and says why', async () => {
    api.put('pods', pod(1));
    const followed = await Followed.of(api);
    await followed.hosts(1);
    await api.until(() => api.openWatches === 1);
    api.deniedLists.add('pods');
    api.resetWatches();
    await followed.state('degraded', 'cannot list pods of namespace lab: HTTP 403: pods is forbidden');
    expect(followed.urls).toEqual(['http://10.0.0.1:8000']);
    api.put('pods', pod(2), false);
    api.deniedLists.clear();
    await followed.hosts(1, 2);
    await followed.state('synced');
  });

  it('is starting, with the reason, as long as nothing was ever listed', async () => {
    api.deniedLists.add('pods');
    const followed = await Followed.of(api);
    await followed.state('starting', 'HTTP 403');
    expect(followed.urls).toBeNull();
    api.deniedLists.clear();
    await followed.hosts();
    await followed.state('synced');
  });

  it('lists again on a period and so heals what no event told', async () => {
    api.put('pods', pod(1));
    const followed = await Followed.of(api, {}, { resyncMs: 100 });
    await followed.hosts(1);
    api.put('pods', pod(1, { ready: false }), false);
    await followed.hosts();
    expect(followed.discovery.status.state).toBe('synced');
  });

  it('keeps an open watch when the periodic list is denied, and follows it', async () => {
    const followed = await Followed.of(api, {}, { resyncMs: 30 });
    await followed.hosts();
    api.deniedLists.add('pods');
    await followed.state('degraded', 'cannot list pods');
    await api.until(() => api.openWatches === 1);
    api.put('pods', pod(1));
    await followed.hosts(1);
    expect(followed.discovery.status.state).toBe('degraded');
    api.deniedLists.clear();
    await followed.state('synced');
  });

  it('says so when the watch opens and dies again and again', async () => {
    const followed = await Followed.of(api, {}, { shortWatchMs: 60_000 });
    await followed.hosts();
    for (let i = 0; i < 4; i += 1) {
      await api.until(() => api.openWatches === 1);
      api.endWatches();
      await api.until(() => api.openWatches === 0);
    }
    await followed.state('degraded', 'the watch ended at once');
    api.put('pods', pod(1));
    await followed.hosts(1);
  });

  it('publishes nothing when nothing changed', async () => {
    api.put('pods', pod(1));
    const followed = await Followed.of(api);
    await followed.hosts(1);
    await api.until(() => api.openWatches === 1);
    api.put('pods', pod(1));
    api.put('pods', pod(2));
    await followed.hosts(1, 2);
    expect(followed.publications).toBe(2);
  });

  it('ends its watch and publishes nothing more once stopped', async () => {
    const followed = await Followed.of(api);
    await followed.hosts();
    await api.until(() => api.openWatches === 1);
    await followed.discovery.stop();
    await api.until(() => api.openWatches === 0);
    expect(followed.discovery.status.state).toBe('stopped');
    expect(followed.publications).toBe(1);
  });

  it('survives a listener that throws', async () => {
    const followed = await Followed.of(api);
    await followed.hosts();
    await api.until(() => api.openWatches === 1);
    const thrown = new Promise<void>((resolve) => {
      followed.onPublish = () => {
        resolve();
        throw new Error('listener');
      };
    });
    api.put('pods', pod(1));
    await thrown;
    followed.onPublish = null;
    api.put('pods', pod(2));
    await followed.hosts(1, 2);
  });
});

describe('KubernetesDiscovery, service-name', () => {
  const service = (name: string) => ({ metadata: { uid: `uid-${name}`, name, labels: { app: 'vllm' } } });
  const slice = (of: string, ready: boolean) => ({
    metadata: { uid: `slice-${of}`, name: `${of}-1`, labels: { 'kubernetes.io/service-name': of } },
    endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready } }],
  });
  const options = { k8sServiceDiscoveryType: 'service-name' } as const;

  it('is one engine for each Service with a ready endpoint, and needs both lists', async () => {
    api.put('services', service('a'));
    api.deniedLists.add('endpointslices');
    const followed = await Followed.of(api, options);
    await followed.state('starting', 'endpointslices of namespace lab');
    expect(followed.urls).toBeNull();
    api.deniedLists.clear();
    await followed.state('synced');
    expect(followed.urls).toEqual([]);
    await api.until(() => api.openWatches === 2);
    const published = () => followed.urls;
    api.put('endpointslices', slice('a', true));
    await followed.until(() => published()?.[0] === 'http://a.lab:8000');
    expect(followed.engines[0]).toMatchObject({ id: 'http://a.lab:8000#uid-a', labels: { app: 'vllm' } });
    api.put('endpointslices', slice('a', false));
    await followed.until(() => published()?.length === 0);
  });
});
