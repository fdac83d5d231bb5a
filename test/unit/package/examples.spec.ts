import { posix } from 'node:path';
import { runInThisContext } from 'node:vm';
import { transformSync } from '@swc/core';
import type { Settings } from '../../../src/config/settings.schema.js';
import { nextSettings } from '../../../src/config/dynamic-file.js';
import { loadSettings } from '../../../src/config/load-settings.js';
import type { EngineSpec } from '../../../src/core/engine.js';
import type { DiscoveryProvider } from '../../../src/discovery/discovery-provider.js';
import { DiscoveryRegistry } from '../../../src/discovery/discovery-registry.js';
import { EngineDiscovery } from '../../../src/discovery/engine-discovery.js';
import type { Plugin, PluginApi } from '../../../src/plugins.js';
import { RoutingStrategy, type StrategyClass } from '../../../src/routing/routing-strategy.js';
import { StrategyRegistry } from '../../../src/routing/strategy-registry.js';
import { projectFiles, readProjectFile, ROOT } from '../../support/project-files.js';
import {
  candidate,
  engineNumber,
  fixedContext,
  itKeepsTheStrategyContract,
  requestFacts,
  urlsOf,
} from '../../support/strategy.contract.js';

/** The classes of a new file that ARCHITECTURE.md shows, as if the file were in its place. */
function shownIn(path: string): Record<string, unknown> {
  const block = new RegExp(`\`\`\`ts\\n// new: ${path.replaceAll('.', '\\.')}\\n([\\s\\S]*?)\`\`\``);
  const [, source = ''] = block.exec(readProjectFile('ARCHITECTURE.md')) ?? [];
  const { code } = transformSync(source, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
    module: { type: 'commonjs' },
  });
  const exports: Record<string, unknown> = {};
  const load = (name: string): unknown =>
    require(
      name.startsWith('.') ? posix.join(ROOT, posix.dirname(path), name.replace(/\.js$/, '.ts')) : name,
    );
  const file = runInThisContext(`(exports, require) => {${code}\n}`) as (...given: unknown[]) => void;
  file(exports, load);
  return exports;
}

interface Shown {
  readonly strategy: StrategyClass;
  readonly discovery: DiscoveryProvider;
}

/** The plugin, given what the command line gives it. */
function ofPlugin(): Shown {
  const { default: plugin } = require(posix.join(ROOT, 'examples/plugin/queue-and-dns.mjs')) as {
    default: (api: PluginApi) => Required<Plugin>;
  };
  const { strategies, discoveries } = plugin({ RoutingStrategy, EngineDiscovery });
  return { strategy: strategies[0] as StrategyClass, discovery: discoveries[0] as DiscoveryProvider };
}

const ofTutorial = (): Shown => ({
  strategy: shownIn('src/routing/strategies/shortest-queue.strategy.ts')[
    'ShortestQueueStrategy'
  ] as StrategyClass,
  discovery: shownIn('src/discovery/providers/dns.discovery.ts')['DnsDiscovery'] as DiscoveryProvider,
});

const places: [string, Shown][] = [
  ['examples/plugin', ofPlugin()],
  ['ARCHITECTURE.md', ofTutorial()],
];

describe.each(places)('the strategy of %s', (_place, { strategy }) => {
  itKeepsTheStrategyContract(strategy, {} as Settings);

  it('is one that the registry takes', () => {
    expect(new StrategyRegistry([strategy]).names).toEqual(['shortest-queue']);
  });

  it('goes by the queue of the engine, then by what is in flight', () => {
    const given = [
      candidate(engineNumber(1), { engineWaiting: 3 }),
      candidate(engineNumber(2), { engineWaiting: 0, inFlight: 9 }),
      candidate(engineNumber(3), { engineWaiting: null, inFlight: 2 }),
    ];
    const subject = new strategy({} as Settings);
    expect(subject.ranksBySignals).toBe(true);
    expect(urlsOf(subject.rank(requestFacts(), given, fixedContext()))).toEqual(
      [3, 2, 1].map((number) => engineNumber(number).url),
    );
  });
});

describe.each(places)('the discovery of %s', (_place, { discovery: provider }) => {
  const started = (urls: readonly string[]): EngineDiscovery =>
    new provider({ staticBackends: urls } as unknown as Settings);

  it('is one that the registry takes', () => {
    expect(new DiscoveryRegistry([provider]).names).toEqual(['dns']);
  });

  it('publishes every address behind a name, with port and prefix', async () => {
    const discovery = started(['http://127.0.0.1:8000/prefix/', 'https://[::1]:8443']);
    expect(discovery.status.state).toBe('starting');
    const published = await new Promise<readonly EngineSpec[]>((resolve) => void discovery.start(resolve));
    const urls = ['http://127.0.0.1:8000/prefix', 'https://[::1]:8443'];
    expect(published).toEqual(urls.map((url) => ({ id: url, url })));
    expect(discovery.status).toMatchObject({ state: 'synced', reason: null });
    await discovery.stop();
    expect(discovery.status.state).toBe('stopped');
  });

  it('says why when a name cannot be resolved, and publishes nothing', async () => {
    const discovery = started(['http://no-such-name.invalid:8000']);
    const publish = jest.fn();
    await discovery.start(publish);
    // A resolver may take its time to say no; each turn of the loop looks again.
    while (discovery.status.reason === 'no name is resolved yet') await new Promise(setImmediate);
    expect(discovery.status.state).toBe('starting');
    expect(discovery.status.reason).toContain('no-such-name.invalid');
    expect(publish).not.toHaveBeenCalled();
    await discovery.stop();
  });
});

describe('the dynamic files of examples/', () => {
  const startup = loadSettings({
    argv: '--service-discovery static --static-backends http://a:1 --routing-logic roundrobin'.split(' '),
    env: {},
    readFile: () => '',
  }).startup;

  it.each(projectFiles('examples/dynamic-config'))('%s can be put in force', (path) => {
    const format = path.endsWith('.json') ? 'json' : 'yaml';
    expect(nextSettings(readProjectFile(path), format, startup).warnings).toEqual([]);
  });
});
