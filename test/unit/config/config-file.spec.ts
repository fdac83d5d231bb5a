import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTextFile, readTextFileSync, SETTINGS_FILE_BYTES } from '../../../src/config/read-text-file.js';
import { load, problemsOf, STATIC } from './load.js';

describe('--config', () => {
  it('reads JSON and YAML, keys in any of the usual spellings, lists as lists or text', () => {
    const json =
      '{"service-discovery":"static","staticBackends":["http://a"],"routing_logic":"roundrobin","port":"77"}';
    expect(load({ argv: ['--config', 'c.json'], files: { 'c.json': json } }).settings).toMatchObject({
      staticBackends: ['http://a'],
      port: 77,
    });
    const yaml =
      'service_discovery: static\nstatic_backends: http://a,http://b\nrouting_logic: session\nsession_key: u\nlog_stats: true\n';
    const loaded = load({ env: { VLLM_ROUTER_CONFIG: 'c.yml' }, files: { 'c.yml': yaml } });
    expect(loaded.settings.staticBackends).toEqual(['http://a', 'http://b']);
    expect(loaded.settings.logStats).toBe(true);
    expect(loaded.origins.sessionKey).toBe('config file');
  });

  it('takes an empty file and null values as nothing said', () => {
    const files = { 'e.yaml': '', 'n.yaml': 'port:\nhost: ~\n' };
    expect(load({ argv: [...STATIC, '--config', 'e.yaml'], files }).origins.port).toBe('default');
    expect(load({ argv: [...STATIC, '--config', 'n.yaml'], files }).settings.host).toBe('0.0.0.0');
  });

  it('names file, key, value and what is allowed', () => {
    const text = 'prot: 1\nport: [1]\nconfig: other.yaml\nk8s_port: 70000\n';
    expect(problemsOf({ argv: [...STATIC, '--config', 'c.yaml'], files: { 'c.yaml': text } })).toEqual([
      'config file "c.yaml": unknown key "prot"; did you mean port?',
      'config file "c.yaml": config cannot be set here; give --config',
      'config file "c.yaml": k8s_port: 70000 is not allowed; give a whole number from 1 to 65535',
      'config file "c.yaml": port: a list is not allowed; give a whole number from 0 to 65535',
    ]);
  });

  it.each([
    ['missing.yaml', /^config file "missing.yaml": cannot be read: ENOENT/],
    ['list.yaml', /holds no settings; give one YAML mapping/],
    ['bad.yaml', /not valid YAML: .* at line 2$/],
    ['twice.yaml', /not valid YAML: the key "port" stands there twice$/],
    ['two.yaml', /not valid YAML: it holds more than one document$/],
    ['wide.yaml', /not valid YAML: it has too many entries$/],
    ['keys.yaml', /holds more than 200 keys$/],
    ['bad.json', /not valid JSON: /],
    ['bomb.yaml', /not valid YAML: Excessive alias count/],
    ['deep.yaml', /not valid YAML: nested deeper than 32 levels$/],
    ['deep.json', /holds no settings/],
  ])('refuses %s with one problem', (path, problem) => {
    const level = (name: string, of: string): string =>
      `${name}: &${name} [${Array(10).fill(`*${of}`).join(',')}]\n`;
    const bomb = `a: &a [1]\n${level('b', 'a')}${level('c', 'b')}${level('d', 'c')}`;
    const files = {
      'list.yaml': '- 1',
      'bad.yaml': 'port: 1\na: [1',
      'twice.yaml': 'port: 1\nport: 2',
      'two.yaml': 'port: 1\n---\nport: 2',
      'keys.yaml': Array.from({ length: 201 }, (_, index) => `k${index}: 1\n`).join(''),
      'wide.yaml': Array.from({ length: 100_000 }, (_, index) => `k${index}:\n  1\n`).join(''),
      'deep.json': `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
      'bad.json': '{',
      'bomb.yaml': bomb,
      'deep.yaml': '['.repeat(100_000),
    };
    expect(problemsOf({ argv: [...STATIC, '--config', path], files })).toEqual([
      expect.stringMatching(problem),
    ]);
  });

  it('refuses settings of a plugin by name', () => {
    expect(problemsOf({ argv: STATIC, pluginSettings: { port: 'x', prot: 1, plugin: ['a.js'] } })).toEqual([
      'plugin settings: unknown key "prot"; did you mean port?',
      'plugin settings: plugin cannot be set here; give --plugin',
      'plugin settings: port: "x" is not allowed; give a whole number from 0 to 65535',
    ]);
  });
});

describe('reading a settings file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  it('drops a byte order mark', async () => {
    const path = file('bom.json', '\uFEFF{}');
    expect(readTextFileSync(path)).toBe('{}');
    expect(await readTextFile(path)).toBe('{}');
  });

  it('stops at 1 MiB', async () => {
    const whole = file('whole', 'x'.repeat(SETTINGS_FILE_BYTES));
    const large = file('large', 'x'.repeat(SETTINGS_FILE_BYTES + 1));
    expect(readTextFileSync(whole)).toHaveLength(SETTINGS_FILE_BYTES);
    expect((await readTextFile(whole)).length).toBe(SETTINGS_FILE_BYTES);
    expect(() => readTextFileSync(large)).toThrow('larger than 1048576 bytes');
    await expect(readTextFile(large)).rejects.toThrow('larger than 1048576 bytes');
  });

  it('waits for no named pipe and reads no folder', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(() => readTextFileSync(pipe)).toThrow('not a regular file');
    await expect(readTextFile(pipe)).rejects.toThrow('not a regular file');
    expect(() => readTextFileSync(folder)).toThrow('not a regular file');
  });
});
