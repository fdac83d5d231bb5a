import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Stands for npm: notes how it was called and brings a compiler that writes dist/main.js. */
const FAKE_NPM = `
const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs');
const settings = Object.keys(process.env).filter((name) => /^npm_/.test(name)).sort();
appendFileSync('calls', JSON.stringify({ args: process.argv.slice(2), settings }) + '\\n');
mkdirSync('node_modules/@nestjs/cli/bin', { recursive: true });
writeFileSync('node_modules/.package-lock.json', '{}');
writeFileSync('node_modules/@nestjs/cli/bin/nest.js', \`
  const { appendFileSync, mkdirSync, writeFileSync } = require('node:fs');
  appendFileSync('calls', '"build"\\\\n');
  mkdirSync('dist', { recursive: true });
  writeFileSync('dist/main.js', '');
\`);
`;

describe('the pre-step of the demo, the tests and npm prepare', () => {
  let root: string;
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  /** Runs the script; returns what it said. */
  const ensure = (args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): string => {
    const { stdout, stderr, status } = spawnSync(process.execPath, ['scripts/ensure.mjs', ...args], {
      cwd: root,
      env: { PATH: process.env.PATH, npm_execpath: join(root, 'npm-cli.js'), ...env },
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    return stderr;
  };
  /** What was run since the last look: npm's arguments, or "build". */
  const calls = (): { args: string[]; settings: string[] }[] => {
    const file = join(root, 'calls');
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
    rmSync(file, { force: true });
    return lines.map((line) => JSON.parse(line) as { args: string[]; settings: string[] });
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'ensure-'));
    mkdirSync(join(root, 'scripts'));
    cpSync(join(__dirname, '../../../scripts/ensure.mjs'), join(root, 'scripts/ensure.mjs'));
    write('npm-cli.js', FAKE_NPM);
    write('package-lock.json', '{}');
    write('src/main.ts', 'first');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('installs and builds a fresh clone, and says why', () => {
    const said = ensure();
    expect(said).toMatch(
      /installing the packages \(npm ci, about a minute\), because node_modules is missing\n/,
    );
    expect(said).toMatch(/building dist \(nest build\), because dist is missing\n/);
    expect(calls()).toEqual([
      { args: expect.arrayContaining(['ci', '--include=dev']), settings: [] },
      'build',
    ]);
  });

  it('does and says nothing when all is there', () => {
    ensure();
    calls();
    expect(ensure()).toBe('');
    expect(ensure(['--prepare'])).toBe('');
    expect(calls()).toEqual([]);
  });

  it('builds again when a source has changed or is gone', () => {
    write('src/other.ts', 'x');
    ensure();
    write('src/main.ts', 'second');
    expect(ensure()).toMatch(/because src is not what dist was built from/);
    rmSync(join(root, 'src/other.ts'));
    expect(ensure()).toMatch(/because src is not/);
    expect(ensure()).toBe('');
  });

  it('takes a build by hand for what it is once it is stamped', () => {
    ensure();
    write('src/main.ts', 'second');
    ensure(['--stamp']);
    expect(ensure()).toBe('');
  });

  it('installs again when the lock file has changed, not when it was only touched', () => {
    ensure();
    calls();
    const later = new Date(Date.now() + 3_600_000);
    utimesSync(join(root, 'package-lock.json'), later, later);
    expect(ensure()).toBe('');
    write('package-lock.json', '{"new":1}');
    utimesSync(join(root, 'package-lock.json'), later, later);
    expect(ensure()).toMatch(/because package-lock\.json is newer than node_modules/);
    expect(calls()).toHaveLength(1);
  });

  it('keeps the settings of an outer npm from the inner one, but for where packages come from', () => {
    ensure(['--prepare'], {
      npm_config_global: 'true',
      npm_config_omit: 'dev',
      npm_config_ignore_scripts: 'true',
      npm_config_prefix: '/elsewhere',
      npm_lifecycle_event: 'prepare',
      npm_config_registry: 'http://registry.test/',
    });
    expect(calls()[0]?.settings).toEqual(['npm_config_registry']);
  });

  it('does nothing inside an install of its own', () => {
    expect(ensure(['--prepare'], { VLLM_ROUTER_ENSURE: '1' })).toBe('');
    expect(calls()).toEqual([]);
  });

  it('lets an install without development packages be', () => {
    write('node_modules/.package-lock.json', '{}');
    expect(ensure(['--prepare'], { npm_config_omit: 'dev' })).toMatch(/development packages are left out/);
    expect(calls()).toEqual([]);
    expect(ensure()).toMatch(/because the development packages are missing/);
  });

  it('builds nothing where there is no source', () => {
    rmSync(join(root, 'src'), { recursive: true });
    expect(ensure(['--prepare'])).toMatch(/there is no src here/);
    expect(calls()).toEqual([]);
  });
});
