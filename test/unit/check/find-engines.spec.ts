import { findEngines } from '../../../src/check/find-engines.js';
import type { Settings } from '../../../src/config/settings.schema.js';
import type { EngineSpec } from '../../../src/core/engine.js';
import { type DiscoveryStatus, EngineDiscovery } from '../../../src/discovery/engine-discovery.js';

const SETTINGS = {
  k8sNamespace: 'llm',
  k8sLabelSelector: 'app=vllm',
  k8sServiceDiscoveryType: 'pod-ip',
} as Settings;
const QUICK = { all: 200, trouble: 50 };

/** A discovery that publishes once, or never, and says what it is told to. */
function providerOf(engines: readonly EngineSpec[] | null, reason: string | null, name = 'k8s') {
  const told = { stopped: 0 };
  class Told extends EngineDiscovery {
    static readonly providerName = name;
    readonly status: DiscoveryStatus = { state: reason === null ? 'synced' : 'degraded', reason, since: 0 };
    start(publish: (found: readonly EngineSpec[]) => void): Promise<void> {
      if (engines !== null) publish(engines);
      return Promise.resolve();
    }
    stop(): Promise<void> {
      told.stopped++;
      return Promise.resolve();
    }
  }
  return { provider: Told, told };
}
const found = async (engines: readonly EngineSpec[] | null, reason: string | null, name?: string) => {
  const { provider, told } = providerOf(engines, reason, name);
  const { findings } = await findEngines(provider, SETTINGS, QUICK);
  expect(told.stopped).toBe(1);
  return findings;
};

describe('the discovery that is checked', () => {
  it('is well when it names engines', async () => {
    const engine = { id: 'a', url: 'http://a:8000' };
    expect(await found([engine], null)).toEqual([{ level: 'ok', what: 'k8s finds 1 engine', todo: null }]);
  });

  it('finds no pods: the command that shows what matches', async () => {
    expect(await found([], null)).toEqual([
      {
        level: 'problem',
        what: 'it finds no engines',
        todo: 'see what matches and is Ready: kubectl get pods -n llm -l app=vllm',
      },
    ]);
  });

  it('may not list pods: the Role that it wants', async () => {
    const [denied] = await found(null, 'cannot list pods of namespace llm: 403 Forbidden');
    expect(denied).toMatchObject({
      level: 'problem',
      todo: expect.stringContaining('get, list and watch pods in namespace llm') as string,
    });
  });

  it('of a plugin is not told of Roles', async () => {
    const [lost] = await found(null, 'consul: 403 Forbidden', 'consul');
    expect(lost).toMatchObject({ level: 'problem', todo: 'look at what it finds engines by' });
  });

  it('says nothing: it is not waited for without an end', async () => {
    expect(await found(null, null)).toMatchObject([
      { level: 'problem', what: 'k8s does not name its engines' },
    ]);
  });

  it('cannot begin: why', async () => {
    class Broken extends providerOf(null, null).provider {
      override start(): Promise<void> {
        return Promise.reject(new Error('the kubeconfig names no usable cluster'));
      }
    }
    expect((await findEngines(Broken, SETTINGS, QUICK)).findings).toMatchObject([
      { level: 'problem', what: 'the kubeconfig names no usable cluster' },
    ]);
  });
});
