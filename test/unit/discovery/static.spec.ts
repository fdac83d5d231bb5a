import type { Settings } from '../../../src/config/settings.schema.js';
import type { EngineSpec } from '../../../src/core/engine.js';
import { DiscoveryRegistry } from '../../../src/discovery/discovery-registry.js';
import type { DiscoveryProvider } from '../../../src/discovery/discovery-provider.js';
import { EngineDiscovery } from '../../../src/discovery/engine-discovery.js';
import { StaticDiscovery } from '../../../src/discovery/providers/static.discovery.js';

const settings = (staticBackends: string[] | null, staticModels: string[] | null = null): Settings =>
  ({ staticBackends, staticModels }) as Settings;

async function published(given: Settings): Promise<readonly EngineSpec[]> {
  const discovery = new StaticDiscovery(given);
  const publish = jest.fn();
  await discovery.start(publish);
  expect(publish).toHaveBeenCalledTimes(1);
  return publish.mock.calls[0]?.[0] as readonly EngineSpec[];
}

describe('static discovery', () => {
  it('publishes each URL with its model', async () => {
    expect(await published(settings(['http://a:8000', 'http://b:8000'], ['llama', 'mixtral']))).toEqual([
      { id: 'http://a:8000', url: 'http://a:8000', models: ['llama'] },
      { id: 'http://b:8000', url: 'http://b:8000', models: ['mixtral'] },
    ]);
  });

  it('makes one engine of a URL that is given for several models', async () => {
    const urls = ['http://a:8000', 'http://b:8000', 'http://a:8000', 'http://a:8000'];
    expect(await published(settings(urls, ['llama', 'llama', 'mixtral', 'llama']))).toEqual([
      { id: 'http://a:8000', url: 'http://a:8000', models: ['llama', 'mixtral'] },
      { id: 'http://b:8000', url: 'http://b:8000', models: ['llama'] },
    ]);
  });

  it('leaves the models to be learned when none are given', async () => {
    const learned = [{ id: 'http://a:8000', url: 'http://a:8000' }];
    expect(await published(settings(['http://a:8000', 'http://a:8000']))).toEqual(learned);
    expect(await published(settings(['http://a:8000'], []))).toEqual(learned);
    expect(await published(settings(null))).toEqual([]);
  });

  it('refuses lists of different length, and says both counts', () => {
    expect(() => new StaticDiscovery(settings(['http://a', 'http://b'], ['m']))).toThrow(
      '--static-models names 1 models for the 2 URLs of --static-backends',
    );
  });

  it('is synced once started', async () => {
    const discovery = new StaticDiscovery(settings(['http://a']));
    expect(discovery.status.state).toBe('starting');
    await discovery.start(() => {});
    expect(discovery.status).toMatchObject({ state: 'synced', reason: null });
    await discovery.stop();
    expect(discovery.status.state).toBe('stopped');
  });
});

describe('DiscoveryRegistry', () => {
  class Mine extends EngineDiscovery {
    static readonly providerName = 'mine';
    override readonly status = { state: 'synced', reason: null, since: 0 } as const;
    override async start(): Promise<void> {}
    override async stop(): Promise<void> {}
  }
  const renamed = (providerName: string): DiscoveryProvider =>
    Object.assign(class extends Mine {}, { providerName });

  it('knows the classes by their names', () => {
    const registry = new DiscoveryRegistry([StaticDiscovery, Mine]);
    expect(registry.names).toEqual(['static', 'mine']);
    expect(registry.get('mine')).toBe(Mine);
    expect(() => registry.get('consul')).toThrow('unknown service discovery "consul"; known: static, mine');
  });

  it('refuses a taken name and what is no discovery', () => {
    expect(() => new DiscoveryRegistry([StaticDiscovery, renamed('static')])).toThrow(
      '"static" is registered twice',
    );
    expect(() => new DiscoveryRegistry([renamed('')])).toThrow('needs a static providerName');
    const stranger = class {
      static providerName = 'x';
    } as unknown as DiscoveryProvider;
    expect(() => new DiscoveryRegistry([stranger])).toThrow(
      '"x" must be a class that extends EngineDiscovery',
    );
  });
});
