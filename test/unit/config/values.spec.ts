import { availableParallelism } from 'node:os';
import { load, problemsOf, STATIC } from './load.js';

const withUrls = (urls: string): string[] => [...STATIC, '--static-backends', urls];
const urlsOf = (urls: string): readonly string[] | null =>
  load({ argv: withUrls(urls) }).settings.staticBackends;

describe('engine URLs', () => {
  it.each([
    ['http://vllm-a:8000', 'http://vllm-a:8000'],
    ['http://localhost:9001/', 'http://localhost:9001'],
    ['HTTPS://Host.Example:443/prefix/', 'https://host.example/prefix'],
    ['http://[::1]:8000', 'http://[::1]:8000'],
    ['http://10.0.0.1', 'http://10.0.0.1'],
    ['http://under_score:80/a//', 'http://under_score/a'],
  ])('takes %s as %s', (given, expected) => expect(urlsOf(given)).toEqual([expected]));

  it('forgives spaces around commas and a trailing one', () => {
    expect(urlsOf(' http://a , http://b ,')).toEqual(['http://a', 'http://b']);
  });

  it('keeps one URL given for several models', () => {
    const argv = [...withUrls('http://a,http://a'), '--static-models', 'm1, m2'];
    expect(load({ argv }).settings.staticModels).toEqual(['m1', 'm2']);
  });

  it.each([
    ['ftp://a', '"ftp://a" is not an http or https URL'],
    ['engine:8000', '"engine:8000" is not an http or https URL'],
    ['http://', '"http://" is not an http or https URL'],
    ['http://a b', '"http://a b" is not an http or https URL'],
    ['http://me:pw@a', '"http://***@a" holds a user name or password'],
    ['http://a/?x=1', '"http://a/?x=1" holds a query'],
    ['http://a#f', '"http://a#f" holds a fragment'],
    ['http://a,,http://b', '"" is not allowed; give http or https URLs separated by commas'],
  ])('refuses %s', (given, problem) => {
    const problems = problemsOf({ argv: withUrls(given) });
    expect(problems).toEqual([expect.stringContaining(`--static-backends: ${problem}`)]);
    expect(problems[0]).not.toContain('pw');
  });

  it('refuses endless lists, and counts the problems that it does not print', () => {
    expect(problemsOf({ argv: withUrls('http://a,'.repeat(10_001)) })).toEqual([
      '--static-backends: more than 10000 items are not allowed',
    ]);
    const many = Array.from({ length: 50 }, (_, index) => `bad-${index}`).join(',');
    const problems = problemsOf({ argv: withUrls(many) });
    expect([problems.length, problems.at(-1)]).toEqual([21, 'and 30 more problems']);
  });

  it('counts an empty list as not given', () => {
    expect(problemsOf({ argv: withUrls('') })).toEqual([
      expect.stringContaining('--static-backends is required'),
    ]);
  });
});

describe('sizes', () => {
  const sizeOf = (size: string): number =>
    load({ argv: [...STATIC, '--max-body-size', size] }).settings.maxBodySize;

  it.each([
    ['1048576', 1_048_576],
    ['128MiB', 134_217_728],
    ['128MB', 128_000_000],
    ['1GiB', 1_073_741_824],
    ['64k', 65_536],
    ['64 KB', 64_000],
    ['1.5m', 1_572_864],
    ['7B', 7],
  ])('reads %s as %d bytes', (text, bytes) => expect(sizeOf(text)).toBe(bytes));

  it.each(['0', '-1', '1 parsec', 'MiB', '3GiB', '1e9', ''])('refuses "%s"', (text) => {
    expect(problemsOf({ argv: [...STATIC, '--max-body-size', text] })).toEqual([
      expect.stringMatching(
        /^--max-body-size: .* is not allowed; give bytes or a size such as 128MiB, at most 2GiB$/,
      ),
    ]);
  });

  it('warns when all bodies together may hold less than one', () => {
    expect(load({ argv: [...STATIC, '--max-body-memory', '1MiB'] }).warnings).toEqual([
      expect.stringContaining('--max-body-memory 1048576 is less than --max-body-size 134217728'),
    ]);
  });
});

describe('other kinds', () => {
  const argvOf = (flag: string, value: string): string[] => [...STATIC, `--${flag}=${value}`];

  it.each([
    ['port', '0', 'port', 0],
    ['connect-timeout', '0.5', 'connectTimeout', 0.5],
    ['first-byte-timeout', '7', 'firstByteTimeout', 7],
    ['first-byte-timeout', '', 'firstByteTimeout', null],
    ['shutdown-delay', '0', 'shutdownDelay', 0],
    ['log-level', 'WARNING', 'logLevel', 'warn'],
    ['log-level', 'critical', 'logLevel', 'fatal'],
    ['log-stats', 'ON', 'logStats', true],
    ['k8s-label-selector', '', 'k8sLabelSelector', ''],
    ['k8s-service-discovery-type', 'service-name', 'k8sServiceDiscoveryType', 'service-name'],
    ['trusted-proxies', '10.0.0.0/8, fd00::/8,::1', 'trustedProxies', ['10.0.0.0/8', 'fd00::/8', '::1']],
    ['allowed-origins', 'https://App.example.com,*', 'allowedOrigins', ['https://app.example.com', '*']],
    ['allow-engine-path', '/tokenizer_info', 'allowEnginePath', ['/tokenizer_info']],
    ['root-path', '/llm/v2', 'rootPath', '/llm/v2'],
  ] as const)('--%s=%s', (flag, value, key, expected) => {
    expect(load({ argv: argvOf(flag, value) }).settings[key]).toEqual(expected);
  });

  it.each([
    ['port', '8001.5'],
    ['port', '0x10'],
    ['port', 'Infinity'],
    ['connect-timeout', '0'],
    ['connect-timeout', '2147484'],
    ['request-stats-window', '-1'],
    ['log-stats', 'maybe'],
    ['log-level', '__proto__'],
    ['session-key', 'two words'],
    ['k8s-namespace', '../kube-system'],
    ['k8s-port', '0'],
    ['trusted-proxies', '10.0.0.0/33'],
    ['trusted-proxies', 'everyone'],
    ['allowed-origins', 'https://a/path'],
    ['allow-engine-path', 'metrics'],
    ['root-path', 'llm'],
    ['host', 'a b'],
  ])('refuses --%s=%s by name', (flag, value) => {
    const problems = problemsOf({ argv: argvOf(flag, value) });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.startsWith(`--${flag}: `)).toBe(true);
    expect(problems[0]).toContain('; give ');
  });

  it('prints hostile values short and on one line', () => {
    const [problem = ''] = problemsOf({
      argv: argvOf('session-key', `a\n\u001b[31m\u2028${'x'.repeat(5000)}`),
    });
    expect(problem).not.toMatch(/[\p{Cc}\u2028]/u);
    expect(problem.length).toBeLessThan(300);
  });
});

describe('the number of workers', () => {
  const workersOf = (value: string): number =>
    load({ argv: [...STATIC, '--workers', value] }).settings.workers;

  it('is a number, or one for each core that the process may use', () => {
    expect([workersOf('1'), workersOf('64')]).toEqual([1, 64]);
    expect(workersOf('auto')).toBe(Math.min(64, availableParallelism()));
  });

  it.each(['0', '65', '1.5', 'many'])('cannot be %s', (value) => {
    expect(problemsOf({ argv: [...STATIC, '--workers', value] })).toEqual([
      expect.stringContaining('give a whole number from 1 to 64, or auto'),
    ]);
  });
});
