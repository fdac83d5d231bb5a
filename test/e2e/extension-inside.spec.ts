import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);
const ROOT = resolve(__dirname, '../..');

const STRATEGY = `import type { Candidate, Ranking } from '../../core/ranking.js';
import type { RequestFacts } from '../../core/request-facts.js';
import { RoutingStrategy } from '../routing-strategy.js';

/** The engines by URL, the last one first. */
export class LastByUrlStrategy extends RoutingStrategy {
  static readonly strategyName = 'last-by-url';

  override rank(_request: RequestFacts, candidates: readonly Candidate[]): Ranking {
    const order = [...candidates].sort((a, b) => (a.engine.url < b.engine.url ? 1 : -1));
    return order.map((candidate) => ({ candidate, reason: 'later by URL' }));
  }
}
`;

const DISCOVERY = `import type { EngineSpec } from '../../core/engine.js';
import { type DiscoveryStatus, EngineDiscovery } from '../engine-discovery.js';

/** One engine on this machine. */
export class LocalDiscovery extends EngineDiscovery {
  static readonly providerName = 'local';
  override status: DiscoveryStatus = { state: 'starting', reason: null, since: 0 };

  override async start(publish: (engines: readonly EngineSpec[]) => void): Promise<void> {
    this.status = { state: 'synced', reason: null, since: Date.now() };
    publish([{ id: 'local', url: 'http://127.0.0.1:9', models: ['m'] }]);
  }

  override async stop(): Promise<void> {}
}
`;

/** Adds the line of a class to a registry the way the comment in it says. */
async function register(file: string, name: string, from: string, after: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const added = text.replace(`  ${after},\n`, `  ${after},\n  ${name},\n`);
  expect(added).not.toBe(text);
  await writeFile(file, `import { ${name} } from './${from}.js';\n${added}`);
}

describe('a strategy and a discovery added inside the project', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'inside-'));
    for (const part of [
      'src',
      'package.json',
      'tsconfig.json',
      'tsconfig.build.json',
      'jest.config.cjs',
      'test',
    ]) {
      await cp(join(ROOT, part), join(folder, part), { recursive: true });
    }
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const strategies = join(folder, 'src/routing/strategies');
    await writeFile(join(strategies, 'last-by-url.strategy.ts'), STRATEGY);
    await register(
      join(strategies, 'index.ts'),
      'LastByUrlStrategy',
      'last-by-url.strategy',
      'SessionStrategy',
    );
    const providers = join(folder, 'src/discovery/providers');
    await writeFile(join(providers, 'local.discovery.ts'), DISCOVERY);
    await register(join(providers, 'index.ts'), 'LocalDiscovery', 'local.discovery', 'StaticDiscovery');
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    await exec(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: folder });
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true }));

  it('are valid values of their flags, with no other edit', async () => {
    const flags = ['--service-discovery', 'local', '--routing-logic', 'last-by-url'];
    const { stdout } = await exec(process.execPath, ['dist/main.js', 'config', '--json', ...flags], {
      cwd: folder,
    });
    expect(stdout).toMatch(/"local"/);
    expect(stdout).toMatch(/"last-by-url"/);
  });

  it('the contract suite runs on the strategy, with no other edit', async () => {
    const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
    const args = ['test/unit/routing/strategies.spec.ts', '--json', '--rootDir', folder];
    const { stdout } = await exec(process.execPath, [jest, ...args], { cwd: folder, maxBuffer: 1 << 26 });
    const report = JSON.parse(stdout) as {
      success: boolean;
      testResults: { assertionResults: { fullName: string }[] }[];
    };
    expect(report.success).toBe(true);
    const names = report.testResults.flatMap((file) => file.assertionResults.map(({ fullName }) => fullName));
    expect(names.filter((name) => name.includes('last-by-url')).length).toBeGreaterThan(4);
  }, 120_000);
});
