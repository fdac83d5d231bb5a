import fc from 'fast-check';
import { SettingsError } from '../../../src/config/settings-error.js';
import { nextSettings, type DynamicVersion } from '../../../src/config/dynamic-file.js';
import { load, STATIC } from '../config/load.js';
import { anyText } from '../../support/any-text.js';

const K8S = [
  '--service-discovery',
  'k8s',
  '--routing-logic',
  'roundrobin',
  '--k8s-port',
  '9000',
  '--k8s-namespace',
  'llm',
];

function apply(
  content: object | string,
  argv: readonly string[] = STATIC,
  extraStrategies: string[] = [],
): DynamicVersion {
  const { startup } = load({ argv, extraStrategies });
  const json = typeof content !== 'string';
  return nextSettings(json ? JSON.stringify(content) : content, json ? 'json' : 'yaml', startup);
}

function problemsOf(...given: Parameters<typeof apply>): readonly string[] {
  try {
    apply(...given);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  throw new Error('the file was accepted');
}

const base = { service_discovery: 'static', routing_logic: 'roundrobin' };

describe('dynamic file', () => {
  it('requires service_discovery and routing_logic, by name', () => {
    expect(problemsOf({})).toEqual([
      'service_discovery is missing; give static or k8s',
      'routing_logic is missing; give roundrobin, session, prefixaware, kvaware, leastload, loadaware, poweroftwo or random',
    ]);
    expect(problemsOf({ ...base, routing_logic: null })).toHaveLength(1);
  });

  it('rejects an unknown key and a setting that only the start may give', () => {
    expect(
      problemsOf({ ...base, static_backend: 'http://c', log_stats: true, 'k8s-port': 1, __proto__x: 1 }),
    ).toEqual([
      'unknown key "static_backend"; did you mean static_backends?',
      'log_stats cannot be in the dynamic file; give --log-stats at start',
      'unknown key "k8s-port"; did you mean k8s_port?',
      'unknown key "__proto__x"',
    ]);
    expect(
      problemsOf('{"__proto__": 1, "service_discovery": "static", "routing_logic": "roundrobin"}'),
    ).toHaveLength(1);
  });

  it.each([
    [{ ...base, static_backends: 'ftp://a' }, /^static_backends: "ftp:\/\/a" is not an http or https URL/],
    [{ ...base, k8s_port: 'x' }, /^k8s_port: "x" is not allowed; give a whole number/],
    [{ ...base, routing_logic: 'session' }, /^session_key is required with routing_logic session/],
    [
      { ...base, routing_logic: 'disaggregated_prefill' },
      /^routing_logic: "disaggregated_prefill" is not available/,
    ],
    [
      { ...base, static_backends: 'http://a,http://b', static_models: 'm' },
      /has 2 URLs but static_models has 1 model/,
    ],
    [{ ...base, static_models: 'm' }, /^static_models is given without static_backends/],
    [{ ...base, callbacks: [['deep']] }, /^callbacks: a list is not allowed/],
  ])('rejects %j', (content, problem) => {
    expect(problemsOf(content)).toEqual([expect.stringMatching(problem)]);
  });

  it('falls back to the flag for an absent key', () => {
    const { settings, origins } = apply({ ...base, routing_logic: 'session' }, [
      ...STATIC,
      '--session-key',
      'x-user',
      '--port',
      '7',
    ]);
    expect(settings).toMatchObject({
      sessionKey: 'x-user',
      staticBackends: ['http://a:8000', 'http://b:8000'],
      port: 7,
    });
    expect(origins).toMatchObject({
      sessionKey: 'flag',
      routingLogic: 'dynamic file',
      port: 'flag',
      host: 'default',
    });
    expect(
      apply({ service_discovery: 'k8s', routing_logic: 'roundrobin', k8s_namespace: 'x' }, K8S).settings,
    ).toMatchObject({
      k8sPort: 9000,
      k8sNamespace: 'x',
    });
  });

  it('does not remember an earlier version of the file', () => {
    const { startup } = load({ argv: [...STATIC, '--session-key', 'from-flag'] });
    nextSettings(JSON.stringify({ ...base, session_key: 'from-file' }), 'json', startup);
    expect(nextSettings(JSON.stringify(base), 'json', startup).settings.sessionKey).toBe('from-flag');
  });

  it('takes static_models from where static_backends come from', () => {
    const argv = [...STATIC, '--static-models', 'm1,m2'];
    expect(apply({ ...base, static_backends: 'http://c' }, argv).settings).toMatchObject({
      staticBackends: ['http://c'],
      staticModels: null,
    });
    expect(apply(base, argv).settings.staticModels).toEqual(['m1', 'm2']);
  });

  it('gives a changed discovery type its keys from the file or the documented defaults', () => {
    const argv = [...STATIC, '--k8s-port', '9000', '--k8s-namespace', 'llm'];
    const { settings, origins } = apply(
      { service_discovery: 'k8s', routing_logic: 'roundrobin', k8s_label_selector: 'a=b' },
      argv,
    );
    expect(settings).toMatchObject({ k8sPort: 8000, k8sNamespace: 'default', k8sLabelSelector: 'a=b' });
    expect(origins.k8sPort).toBe('default');
    expect(problemsOf(base, [...K8S, '--static-backends', 'http://a'])).toEqual([
      'static_backends is required with service_discovery static; give URLs',
    ]);
  });

  it('knows the names that plugins bring', () => {
    expect(apply({ ...base, routing_logic: 'mine' }, STATIC, ['mine']).settings.routingLogic).toBe('mine');
    expect(problemsOf({ ...base, routing_logic: 'mine' })).toHaveLength(1);
  });

  it('reads the YAML form with a static_models mapping', () => {
    const yaml = `
service_discovery: static
routing_logic: roundrobin
static_models:
  facebook/opt-125m:
    static_backends: [http://c:1/, "http://d:1"]
    static_model_type: completion
  m2:
    static_backends: http://c:1
static_aliases: {gpt: m2}
`;
    const { settings, shown, warnings } = apply(yaml);
    expect(settings.staticBackends).toEqual(['http://c:1', 'http://d:1', 'http://c:1']);
    expect(settings.staticModels).toEqual(['facebook/opt-125m', 'facebook/opt-125m', 'm2']);
    expect(shown['static_models']).toBe('facebook/opt-125m,facebook/opt-125m,m2');
    expect(shown['static_aliases']).toEqual({ gpt: 'm2' });
    expect(warnings).toEqual([
      'static_aliases has no meaning in this router and is ignored',
      'static_model_types has no meaning in this router and is ignored',
    ]);
  });

  it.each([
    ['static_models: {m: {}}', 'static_models["m"] has no static_backends; give a list of URLs'],
    ['static_models: {m: http://a}', 'static_models["m"] is not a mapping; give static_backends in it'],
    [
      'static_models: {m: {static_backends: [http://a], port: 1}}',
      'static_models["m"] has the unknown key "port"',
    ],
    [
      'static_backends: http://a\nstatic_models: {m: {static_backends: [http://a]}}',
      'static_backends stands beside a static_models mapping; give the URLs in the mapping alone',
    ],
    [
      'static_models: {m: {static_backends: [1]}}',
      'static_backends: 1 is not allowed; give http or https URLs separated by commas',
    ],
  ])('rejects %s', (yaml, problem) => {
    expect(problemsOf(`service_discovery: static\nrouting_logic: roundrobin\n${yaml}`)).toEqual([problem]);
  });

  it('has room for ten thousand engines', () => {
    const urls = Array.from({ length: 10_000 }, (_, index) => `  - http://engine-${index}:8000\n`).join('');
    const yaml = `service_discovery: static\nrouting_logic: roundrobin\nstatic_backends:\n${urls}`;
    expect(apply(yaml).settings.staticBackends).toHaveLength(10_000);
  });

  it('shows the eight documented fields, nulls included, and the other keys of the file', () => {
    const content = { ...base, static_backends: ['http://c', 'http://d'], callbacks: 'a.b' };
    expect(apply(content).shown).toEqual({
      service_discovery: 'static',
      routing_logic: 'roundrobin',
      static_backends: 'http://c,http://d',
      static_models: null,
      k8s_port: null,
      k8s_namespace: null,
      k8s_label_selector: null,
      session_key: null,
      callbacks: 'a.b',
    });
    expect(apply(base, [...STATIC, '--session-key', 's']).shown).toMatchObject({
      static_backends: 'http://a:8000,http://b:8000',
      session_key: 's',
    });
  });

  it('is a version or a SettingsError whatever it holds', () => {
    const { startup } = load({ argv: STATIC });
    const key = fc.oneof(
      fc.constantFrom(
        'static_backends',
        'static_models',
        'k8s_port',
        'session_key',
        'static_aliases',
        'k8s_service_discovery_type',
      ),
      fc.string(),
    );
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom('http://a', ['http://a'], 8000, 'm'),
    );
    const content = fc.dictionary(key, value).map((more) => JSON.stringify({ ...base, ...more }));
    fc.assert(
      fc.property(fc.oneof(content, anyText()), fc.constantFrom('json', 'yaml'), (text, format) => {
        try {
          const { settings, shown } = nextSettings(text, format, startup);
          expect(settings.routingLogic).toBe('roundrobin');
          JSON.stringify(shown);
        } catch (error) {
          if (!(error instanceof SettingsError)) throw error;
          expect(error.problems.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 300 },
    );
  });
});
