import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { answeredBy, type MiniEngine, startMiniEngine } from '../support/mini-engine.js';

const MAIN = resolve(__dirname, '../../dist/main.js');
const PLUGINS = resolve(__dirname, '../../dist/plugins.js');

const PLUGIN = `
export default ({ RoutingStrategy, EngineDiscovery }) => ({
  settings: { routingLogic: 'last-by-url', serviceDiscovery: 'variable' },
  strategies: [
    class extends RoutingStrategy {
      static strategyName = 'last-by-url';
      rank(request, candidates) {
        const order = [...candidates].sort((a, b) => (a.engine.url < b.engine.url ? 1 : -1));
        return order.map((candidate) => ({ candidate, reason: 'later by URL' }));
      }
    },
  ],
  discoveries: [
    class extends EngineDiscovery {
      static providerName = 'variable';
      status = { state: 'starting', reason: null, since: 0 };
      async start(publish) {
        this.status = { state: 'synced', reason: null, since: 0 };
        publish(process.env.TEST_ENGINES.split(' ').map((url) => ({ id: url, url })));
      }
      async stop() {}
    },
  ],
});
`;

/** Runs the router as a process; resolves with its URL, or with its exit code and what it wrote on stderr. */
async function run(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(
    process.execPath,
    [MAIN, '--host', '127.0.0.1', '--port', '0', '--log-format', 'json', ...args],
    {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /"listening on 127\.0\.0\.1:(\d+)"/.exec(line)?.[1];
    if (port !== undefined) return { child, url: `http://127.0.0.1:${port}` };
  }
  throw new Error('the router did not start');
}

async function fails(args: string[]): Promise<{ code: number; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, stderr };
}

/** What is wrong with each of these plugins, as the program loads them: in one process for all. */
async function problemsOf(paths: readonly string[]): Promise<string[][]> {
  const script = `
    const { loadPlugins } = await import(${JSON.stringify(pathToFileURL(PLUGINS).href)});
    const problems = [];
    for (const path of process.argv.slice(1)) {
      problems.push(await loadPlugins([path]).then(() => [], (error) => error.problems));
    }
    console.log(JSON.stringify(problems));`;
  const args = ['--input-type=module', '-e', script, '--', ...paths];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as string[][];
}

async function stopped(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function settled(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((done) => setTimeout(done, 20));
}

describe('--plugin', () => {
  let folder: string;
  let plugin: string;
  let engines: MiniEngine[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plugin-'));
    plugin = join(folder, 'mine.mjs');
    await writeFile(plugin, PLUGIN);
    engines = [await startMiniEngine('one', ['m']), await startMiniEngine('two', ['m'])];
    engines.sort((a, b) => (a.url < b.url ? -1 : 1));
  });
  afterAll(async () => {
    await Promise.all(engines.map((engine) => engine.close()));
    await rm(folder, { recursive: true });
  });

  it('brings a strategy, a discovery and settings to the command line', async () => {
    const TEST_ENGINES = engines.map(({ url }) => url).join(' ');
    const { child, url } = await run(['--plugin', plugin], { TEST_ENGINES });
    await settled(async () => (await fetch(`${url}/ready`)).status === 200);
    for (let i = 0; i < 4; i++) expect(await answeredBy(url, 'm')).toBe(engines[1]!.name);
    const health = (await (await fetch(`${url}/health`)).json()) as { discovery: { provider: string } };
    expect(health.discovery.provider).toBe('variable');
    await stopped(child);
  });

  it('makes its names valid in the dynamic file', async () => {
    const file = join(folder, 'dynamic.json');
    const body = {
      service_discovery: 'static',
      static_backends: engines.map(({ url }) => url).join(','),
      static_models: 'm,m',
    };
    await writeFile(file, JSON.stringify({ ...body, routing_logic: 'roundrobin' }));
    const { child, url } = await run([
      '--plugin',
      plugin,
      '--dynamic-config-json',
      file,
      '--dynamic-config-interval',
      '0.05',
    ]);
    const names = new Set([await answeredBy(url, 'm'), await answeredBy(url, 'm')]);
    expect(names.size).toBe(2);
    await writeFile(file, JSON.stringify({ ...body, routing_logic: 'last-by-url' }));
    await settled(async () => {
      const health = (await (await fetch(`${url}/health`)).json()) as {
        dynamic_config: { routing_logic: string };
      };
      return health.dynamic_config.routing_logic === 'last-by-url';
    });
    for (let i = 0; i < 4; i++) expect(await answeredBy(url, 'm')).toBe(engines[1]!.name);
    await stopped(child);
  });

  it('that cannot be used is refused at start with one line and exit code 2', async () => {
    const bad = join(folder, 'nothing.mjs');
    await writeFile(bad, 'export const nothing = 1;');
    const { code, stderr } = await fails(['--plugin', bad]);
    expect(stderr).toMatch(/^--plugin ".*nothing\.mjs": it must export a function by default: .*\n$/);
    expect(code).toBe(2);
  });

  it('is refused with one problem, which says what is wrong', async () => {
    const bad: readonly [source: string, reason: RegExp][] = [
      ['export const nothing = 1;', /must export a function by default/],
      ['export default () => 1;', /must return an object/],
      [
        'export default () => ({ strategies: [class { static strategyName = "x"; }] });',
        /must be a class that extends RoutingStrategy/,
      ],
      [
        'export default ({ RoutingStrategy }) => ({ strategies: [class extends RoutingStrategy { static strategyName = "session"; }] });',
        /registered twice/,
      ],
      ['throw new Error("no such luck");', /no such luck/],
    ];
    const paths = bad.map((_, index) => join(folder, `bad-${index}.mjs`));
    await Promise.all(bad.map(async ([source], index) => writeFile(paths[index]!, source)));
    expect(await problemsOf(paths)).toEqual(bad.map(([, reason]) => [expect.stringMatching(reason)]));
  });
});
