import type { AttemptCause } from '../../../../src/core/attempt-failure.js';
import { checkText, hasProblems } from '../../../../src/core/check/check-text.js';
import {
  engineFindings,
  type EngineReport,
  fleetFindings,
} from '../../../../src/core/check/engine-findings.js';

const model = (id: string, length = 8_192) => ({ id, parent: null, card: { max_model_len: length } });
const METRICS =
  'vllm:num_requests_running 0\nvllm:cache_config_info{block_size="16",enable_prefix_caching="True"} 1\n';
const well: EngineReport = {
  url: 'http://a:8000',
  configured: null,
  sentKey: false,
  health: { status: 200, text: '' },
  models: { status: 200, text: '' },
  served: [model('llama'), model('sql')],
  metrics: { status: 200, text: METRICS },
  version: { status: 200, text: '{"version":"0.32.0"}' },
};
const BY_CACHE = { wantsPrefixCache: true };
const of = (fields: Partial<EngineReport>, wishes = BY_CACHE) =>
  engineFindings({ ...well, ...fields }, wishes);
const lost = (cause: AttemptCause) => ({ cause, reason: 'E' });

describe('an engine that was asked', () => {
  it('is told to be well in one line', () => {
    expect(of({})).toEqual([{ level: 'ok', what: "vLLM 0.32.0, serves 'llama', 'sql'", todo: null }]);
  });

  it.each<[AttemptCause, string, RegExp, RegExp]>([
    ['refused', 'http://a:8000', /^nothing listens there/, /start the engine/],
    ['unresolved', 'http://a:8000', /^its name is not known/, /mend the name/],
    ['connect_timeout', 'http://a:8000', /^it does not answer in time/, /firewall/],
    ['tls', 'https://a', /^its certificate is not trusted/, /--engine-ssl-ca-certs/],
    ['garbage', 'https://a', /^it does not speak TLS/, /http:\/\//],
    ['garbage', 'http://a', /^it does not speak HTTP/, /https:\/\//],
    ['stalled', 'http://a', /^it cannot be asked/, /log of the engine/],
  ])('and lost to %s at %s is a problem with what to do', (cause, url, what, todo) => {
    const [finding, ...more] = of({ url, health: lost(cause) });
    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      level: 'problem',
      what: expect.stringMatching(what) as string,
      todo: expect.stringMatching(todo) as string,
    });
  });

  it.each<[string, Partial<EngineReport>, string, RegExp]>([
    ['it is down', { health: { status: 503, text: '' } }, 'problem', /health answers 503/],
    ['it wants a key', { models: { status: 401, text: '' }, served: null }, 'problem', /wants a key/],
    [
      'the key is wrong',
      { models: { status: 401, text: '' }, served: null, sentKey: true },
      'problem',
      /refuses the key/,
    ],
    [
      'it is no vLLM',
      { models: { status: 404, text: '' }, served: null },
      'problem',
      /answers 404 and no list/,
    ],
    [
      'it serves another model',
      { configured: ['qwen'] },
      'problem',
      /does not serve 'qwen' but 'llama', 'sql'/,
    ],
    ['it has no metrics', { metrics: { status: 404, text: '' } }, 'warning', /answers 404 without figures/],
    ['its metrics are lost', { metrics: lost('reset') }, 'warning', /^\/metrics: E/],
    [
      'its cache is off',
      { metrics: { status: 200, text: METRICS.replace('"True"', '"False"') } },
      'warning',
      /prefix cache is off/,
    ],
    [
      'it sleeps',
      { metrics: { status: 200, text: `${METRICS}vllm:engine_sleep_state{sleep_state="awake"} 0\n` } },
      'warning',
      /it sleeps/,
    ],
  ])('is told that %s', (_name, fields, level, what) => {
    expect(of(fields)).toEqual([
      { level, what: expect.stringMatching(what) as string, todo: expect.any(String) as string },
    ]);
  });

  it('may have its cache off where nobody goes by it', () => {
    const off = { metrics: { status: 200, text: METRICS.replace('"True"', '"False"') } };
    expect(of(off, { wantsPrefixCache: false })).toMatchObject([{ level: 'ok' }]);
  });
});

describe('all engines together', () => {
  it('are counted by model, and told to differ in the length that they take', () => {
    expect(fleetFindings([well, { ...well, served: [model('llama', 4_096)] }])).toMatchObject([
      { level: 'ok', what: "models: 'llama' on 2, 'sql' on 1" },
      { level: 'warning', what: "engines of 'llama' take different lengths: 4096, 8192 tokens" },
    ]);
    expect(fleetFindings([])).toEqual([]);
  });
});

describe('what was found', () => {
  const bad = { name: 'http://b', findings: of({ health: lost('refused') }) };
  const good = (name: string) => ({ name, findings: of({}) });

  it('is told with troubles first, and folded where all is well', () => {
    const many = Array.from({ length: 25 }, (_, at) => good(`http://e${at}`));
    const lines = checkText([{ name: 'settings', findings: [] }], [...many, bad], false).split('\n');
    expect(lines[0]).toBe('problem  http://b: nothing listens there (E)');
    expect(lines[1]).toMatch(/^ {9}what to do: start the engine/);
    expect(lines.filter((line) => line.startsWith('ok       http'))).toHaveLength(20);
    expect(lines.slice(-4)).toEqual(['ok       5 more engines are well', '', '1 problem, 0 warnings.', '']);
    expect([hasProblems([bad]), hasProblems(many)]).toEqual([true, false]);
  });

  it('holds nothing that a terminal obeys', () => {
    const odd = { name: 'x\x1b[2J', findings: of({ configured: ['\x1b]0;evil\x07'] }) };
    expect(checkText([], [odd], false)).toMatch(/^[\x20-\x7e\n]*$/);
  });
});
