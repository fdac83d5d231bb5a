import { parseCli } from '../../../src/config/cli.js';
import { completionScript, COMPLETION_SHELLS } from '../../../src/config/completion.js';
import { configCommand, type PluginSources } from '../../../src/config/config.command.js';
import { envOf, FLAG_KEYS, flagOf } from '../../../src/config/setting-names.js';
import { routerVersion } from '../../../src/config/version.js';
import { readFrom, STATIC } from './load.js';

const cli = (...argv: string[]) => parseCli(argv, '1.2.3');

function printed(...argv: string[]): string {
  const request = cli(...argv);
  if (request.command !== 'print') throw new Error(`expected text, got ${request.command}`);
  return request.text;
}

describe('command line', () => {
  it.each([
    [[], 'serve', []],
    [['--port', '1', '--log-stats'], 'serve', ['--port', '1', '--log-stats']],
    [['serve', '--port=1'], 'serve', ['--port=1']],
    [['--log-stats', 'demo'], 'serve', ['--log-stats', 'demo']],
    [['nonsense', '--port', '1'], 'serve', ['nonsense', '--port', '1']],
    [['demo', '--port', '1', '--speed=2'], 'demo', ['--port', '1', '--speed=2']],
    [['engine', '--port', '1', '--help'], 'engine', ['--port', '1', '--help']],
    [['simulate', '--help', '--load', '1'], 'simulate', ['--help', '--load', '1']],
    [['config', '--json', '--port', '1'], 'config', ['--json', '--port', '1']],
  ])('%j is %s', (argv, command, rest) => {
    expect(cli(...argv)).toEqual({ command, argv: rest });
  });

  it('prints the version', () => {
    expect(printed('--version')).toBe('1.2.3\n');
    expect(printed('-V')).toBe('1.2.3\n');
    expect(routerVersion()).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('teaches every flag with its variable, default and an example', () => {
    const help = printed('--help');
    for (const key of FLAG_KEYS) {
      expect(help).toContain(`  ${flagOf(key)}`);
      expect(help).toContain(envOf(key));
    }
    expect(help.replace(/\s+/g, ' ')).toContain('(default: 128MiB, env: VLLM_ROUTER_MAX_BODY_SIZE)');
    expect(help).toContain('Kubernetes discovery:');
    expect(help).toContain('vllm-router --service-discovery static --static-backends');
    expect(printed('--port', '1', '--help')).toBe(help);
    expect(printed('serve', '-h')).toContain('--routing-logic');
    expect(printed('demo', '--help')).toContain('--speed');
    expect(printed('config', '--help')).toContain('--json');
  });

  it('refuses an unknown shell without printing', () => {
    expect(cli('completion', 'fish')).toEqual({ command: 'completion', shell: 'fish' });
    expect(cli('completion', 'tcsh')).toEqual({
      command: 'refuse',
      problems: [expect.stringContaining('bash, zsh, fish')],
    });
    expect(cli('completion')).toEqual({ command: 'refuse', problems: [expect.stringContaining('shell')] });
  });

  it.each(COMPLETION_SHELLS)('completes every flag in %s', (shell) => {
    const script = completionScript(shell);
    for (const key of FLAG_KEYS)
      expect(script).toContain(shell === 'fish' ? `-l ${flagOf(key).slice(2)}` : flagOf(key));
    expect(script).toContain('roundrobin session');
  });
});

describe('vllm-router config', () => {
  const broughtBy = async (plugins: readonly string[]): Promise<PluginSources> =>
    plugins.includes('mine.js') ? { extraStrategies: ['mine'], pluginSettings: { idleTimeout: 77 } } : {};
  const config = async (...argv: string[]): Promise<string> => {
    const sources = {
      argv: [...STATIC, ...argv],
      env: { VLLM_API_KEY: 'sk-secret', VLLM_ROUTER_PORT: '9' },
      readFile: readFrom({ c: 'host: h' }),
    };
    return (await configCommand(sources, broughtBy)).text;
  };

  it('prints aligned values and where each comes from', async () => {
    const lines = (await config('--config', 'c')).split('\n');
    expect(lines).toContainEqual(expect.stringMatching(/^--port +9 +env$/));
    expect(lines).toContainEqual(expect.stringMatching(/^--host +h +config file c$/));
    expect(lines).toContainEqual(expect.stringMatching(/^--max-body-size +128MiB +default$/));
    const column = (line: string): number => line.search(/\S+$/);
    expect(new Set(lines.filter((line) => line.endsWith(' default')).map(column)).size).toBe(1);
  });

  it('prints JSON', async () => {
    const parsed = JSON.parse(await config('--json')) as Record<string, unknown>;
    expect(parsed['port']).toEqual({ value: 9, origin: 'env' });
    expect(parsed['staticModels']).toEqual({ value: null, origin: 'default' });
  });

  it('knows what plugins bring', async () => {
    expect(await config('--plugin', 'mine.js', '--routing-logic', 'mine')).toMatch(
      /^--idle-timeout +77 +plugin$/m,
    );
  });

  it('never prints the key', async () => {
    expect(await config()).toMatch(/^VLLM_API_KEY +\(hidden\) +env$/m);
    expect((await config()) + (await config('--json'))).not.toContain('secret');
  });
});
