import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { transformFile } from '@swc/core';
import { DISCOVERY_PROVIDERS } from '../../src/discovery/providers/index.js';
import type { DiscoveryProvider } from '../../src/discovery/discovery-provider.js';
import { ROUTING_STRATEGIES } from '../../src/routing/strategies/index.js';
import type { StrategyClass } from '../../src/routing/routing-strategy.js';
import { LastByUrlStrategy } from '../fixtures/extension-inside/last-by-url.strategy.js';
import { LocalDiscovery } from '../fixtures/extension-inside/local.discovery.js';

const exec = promisify(execFile);
const ROOT = resolve(__dirname, '../..');
const GIVEN = join(ROOT, 'test/fixtures/extension-inside');

// The type check of the project is that of the two files and of the registries with them.
[...ROUTING_STRATEGIES, LastByUrlStrategy] as const satisfies readonly StrategyClass[];
[...DISCOVERY_PROVIDERS, LocalDiscovery] as const satisfies readonly DiscoveryProvider[];

/**
 * Puts a class beside those of a registry, and its line into the registry the way the comment in it says.
 * Both go into the sources, and into the build as a compiler would write them.
 */
async function add(folder: string, name: string, path: string, after: string): Promise<void> {
  const text = await readFile(join(GIVEN, basename(path)), 'utf8');
  await writeFile(join(folder, 'src', path), text.replaceAll(`'../../../src/`, `'../../`));
  const registry = join(dirname(path), 'index.ts');
  const listed = await readFile(join(folder, 'src', registry), 'utf8');
  const more = listed.replace(`  ${after},\n`, `  ${after},\n  ${name},\n`);
  expect(more).not.toBe(listed);
  const line = `import { ${name} } from './${basename(path, '.ts')}.js';\n`;
  await writeFile(join(folder, 'src', registry), line + more);
  for (const file of [path, registry]) {
    const { code } = await transformFile(join(folder, 'src', file), {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'nodenext' },
      swcrc: false,
    });
    await writeFile(join(folder, 'dist', file.replace(/ts$/, 'js')), code);
  }
}

describe('a strategy and a discovery added inside the project', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'inside-'));
    const contract = 'test/unit/routing/strategies.spec.ts';
    for (const part of ['src', 'dist', 'package.json', 'jest.config.cjs', 'test/support', contract]) {
      await cp(join(ROOT, part), join(folder, part), { recursive: true });
    }
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    await add(folder, 'LastByUrlStrategy', 'routing/strategies/last-by-url.strategy.ts', 'SessionStrategy');
    await add(folder, 'LocalDiscovery', 'discovery/providers/local.discovery.ts', 'StaticDiscovery');
  });
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
    const args = ['--json', '--rootDir', folder, '--cacheDirectory', join(folder, 'cache')];
    const only = ['--testNamePattern', 'last-by-url'];
    const { stdout } = await exec(process.execPath, [jest, ...args, ...only], { cwd: folder });
    const report = JSON.parse(stdout) as { success: boolean; numPassedTests: number };
    expect(report.success).toBe(true);
    expect(report.numPassedTests).toBeGreaterThan(4);
  }, 60_000);
});
