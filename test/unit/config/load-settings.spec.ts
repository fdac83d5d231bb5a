import { readPluginPaths } from '../../../src/config/load-settings.js';
import { load, problemsOf, readFrom, STATIC } from './load.js';

describe('loadSettings', () => {
  it('has the documented defaults', () => {
    const { settings, origins, warnings } = load({ argv: STATIC });
    expect(settings).toEqual({
      serviceDiscovery: 'static',
      staticBackends: ['http://a:8000', 'http://b:8000'],
      staticModels: null,
      modelRefreshInterval: 30,
      upstreamClient: 'http1',
      healthCheckInterval: 5,
      maxEjectedShare: 0.5,
      engineDrainTimeout: 600,
      backendHealthCheckTimeoutSeconds: 10,
      k8sPort: 8000,
      k8sNamespace: 'default',
      k8sLabelSelector: '',
      k8sServiceDiscoveryType: 'pod-ip',
      k8sWatcherTimeoutSeconds: 0,
      routingLogic: 'roundrobin',
      sessionKey: null,
      sessionLoadFactor: 0,
      prefixIndexMemory: 256 * 1024 * 1024,
      ttftTarget: null,
      tpotTarget: 0.05,
      maxRequestsPerEngine: 0,
      tenantHeader: null,
      maxConcurrentRequests: 0,
      maxConnections: 0,
      maxHeldRequests: 1_000,
      hedge: false,
      host: '0.0.0.0',
      port: 8001,
      rootPath: '',
      trustedProxies: [],
      allowedOrigins: [],
      allowEnginePath: [],
      exposeEngineUrls: false,
      readyNeedsEngine: false,
      shutdownDelay: 5,
      shutdownTimeout: 20,
      stallTimeout: 20,
      maxBodySize: 134_217_728,
      maxBodyMemory: 536_870_912,
      maxHeaderSize: 32_768,
      config: null,
      plugin: [],
      otelEndpoint: null,
      otelServiceName: 'vllm-router',
      otelSecure: false,
      otelSampleRatio: 1,
      apiKey: [],
      apiKeyFile: null,
      forwardClientKey: false,
      engineApiKeyFile: null,
      vllmApiKey: null,
      adminPort: null,
      dashboard: false,
      disableApiDocs: false,
      adminHost: '127.0.0.1',
      adminKey: null,
      sslCertfile: null,
      sslKeyfile: null,
      sslCaCerts: null,
      engineSslCaCerts: null,
      engineSslCertfile: null,
      engineSslKeyfile: null,
      workers: 1,
      clientHeaderTimeout: 30,
      clientBodyTimeout: 120,
      connectTimeout: 5,
      firstByteTimeout: null,
      idleTimeout: 120,
      totalTimeout: 3600,
      streamFailover: 'error',
      engineStatsInterval: 30,
      requestStatsWindow: 60,
      logStats: false,
      logStatsInterval: 30,
      logFormat: 'text',
      logLevel: 'info',
      accessLog: false,
      allowExplain: false,
      decisionLog: null,
      decisionLogSize: 100 * 1024 * 1024,
      dynamicConfigJson: null,
      dynamicConfigYaml: null,
      dynamicConfigInterval: 10,
    });
    expect(origins.port).toBe('default');
    expect(origins.routingLogic).toBe('flag');
    expect(warnings).toEqual([]);
  });

  it('lets each source override the one before it, and says which holds', () => {
    const files = {
      'r.yaml': 'port: 3\nhost: h3\nk8s_port: 3\nk8s_namespace: n3\n',
      'd.json': '{"service_discovery":"static","routing_logic":"session","session_key":"x-user"}',
    };
    const { settings, origins } = load({
      pluginSettings: { port: 2, host: 'h2', k8sPort: 2, logLevel: 'debug' },
      argv: [...STATIC, '--config', 'r.yaml', '--port', '5', '--dynamic-config-json', 'd.json'],
      env: { VLLM_ROUTER_PORT: '4', VLLM_ROUTER_K8S_PORT: '4' },
      files,
    });
    expect([settings.logLevel, origins.logLevel]).toEqual(['debug', 'plugin']);
    expect([settings.host, origins.host]).toEqual(['h3', 'config file']);
    expect([settings.k8sPort, origins.k8sPort]).toEqual([4, 'env']);
    expect([settings.port, origins.port]).toEqual([5, 'flag']);
    expect([settings.routingLogic, origins.routingLogic]).toEqual(['session', 'dynamic file']);
    expect([settings.staticBackends?.length, origins.staticBackends]).toEqual([2, 'flag']);
  });

  it('reads --flag=value, --flag value and switches', () => {
    const { settings } = load({ argv: [...STATIC, '--port=1234', '--log-stats', '--access-log=false'] });
    expect([settings.port, settings.logStats, settings.accessLog]).toEqual([1234, true, false]);
    expect(load({ argv: [...STATIC, '--log-stats=false', '--host=::'] }).settings.host).toBe('::');
  });

  it('takes the last of a repeated flag, and adds up where several values make sense', () => {
    const { settings } = load({
      argv: [...STATIC, '--port', '1', '--port', '2', '--plugin', 'a.js', '--plugin', 'b.js,c.js'],
    });
    expect(settings.port).toBe(2);
    expect(settings.plugin).toEqual(['a.js', 'b.js', 'c.js']);
  });

  it('tells every problem at once: flag, value, what is allowed', () => {
    const argv = [
      '--port',
      '99999',
      '--engine-stats-interval',
      '0',
      '--log-format=xml',
      '--portt',
      '1',
      'extra',
    ];
    expect(problemsOf({ argv: [...STATIC, ...argv], env: { VLLM_ROUTER_IDLE_TIMEOUT: 'soon' } })).toEqual([
      'unknown flag "--portt"; did you mean --port?',
      'unexpected argument "extra"; see vllm-router --help',
      '--port: 99999 is not allowed; give a whole number from 0 to 65535',
      'VLLM_ROUTER_IDLE_TIMEOUT: "soon" is not allowed; give seconds from 0.01 to 2147483',
      '--engine-stats-interval: 0 is not allowed; give seconds from 0.01 to 2147483',
      '--log-format: "xml" is not allowed; give one of text, json',
    ]);
  });

  it('says when a value was forgotten', () => {
    expect(problemsOf({ argv: [...STATIC, '--session-key', '--log-stats'] })).toEqual([
      '--session-key needs a value; give a header name such as x-user-id',
    ]);
    expect(problemsOf({ argv: [...STATIC, '--port'] })).toEqual([
      '--port needs a value; give a whole number from 0 to 65535',
    ]);
  });

  it('requires a discovery and a routing logic', () => {
    expect(problemsOf({})).toEqual([
      '--service-discovery is required; give one of static, k8s',
      '--routing-logic is required; give one of roundrobin, session, prefixaware, kvaware, leastload, loadaware, poweroftwo, random',
    ]);
  });

  it('refuses disaggregated and external-only modes and names what exists', () => {
    const argv = ['--service-discovery', 'external-only', '--routing-logic', 'disaggregated_prefill'];
    expect(problemsOf({ argv })).toEqual([
      '--service-discovery: "external-only" is not available; give one of static, k8s',
      '--routing-logic: "disaggregated_prefill" is not available; give one of roundrobin, session, prefixaware, kvaware, leastload, loadaware, poweroftwo, random',
    ]);
  });

  it.each(['prefixaware', 'kvaware', 'leastload', 'loadaware', 'poweroftwo', 'random'])(
    'accepts %s without a warning',
    (logic) => {
      const argv = [...STATIC.slice(0, 4), '--routing-logic', logic];
      expect(load({ argv }).warnings).toEqual([]);
    },
  );

  it.each(['0.5', '-1', '101', 'much'])('refuses the session load factor %s', (factor) => {
    const argv = [...STATIC.slice(0, 4), '--routing-logic', 'random', '--session-load-factor', factor];
    expect(problemsOf({ argv }).join()).toContain('0, or a number from 1 to 100');
  });

  it('accepts the names that plugins bring', () => {
    const argv = ['--service-discovery', 'consul', '--routing-logic', 'mine'];
    expect(
      load({ argv, extraStrategies: ['mine'], extraDiscoveries: ['consul'] }).settings.routingLogic,
    ).toBe('mine');
    expect(problemsOf({ argv, extraStrategies: ['mine'] })).toEqual([
      '--service-discovery: "consul" is not available; give one of static, k8s',
    ]);
  });

  it('needs a session key with session, and URLs with static, under the name the operator used', () => {
    expect(
      problemsOf({ argv: ['--service-discovery', 'static'], env: { VLLM_ROUTER_ROUTING_LOGIC: 'session' } }),
    ).toEqual([
      '--session-key is required with VLLM_ROUTER_ROUTING_LOGIC session; give a header name',
      '--static-backends is required with --service-discovery static; give URLs',
    ]);
  });

  it('says both counts when URLs and models differ', () => {
    expect(problemsOf({ argv: [...STATIC, '--static-models', 'm'] })).toEqual([
      '--static-backends has 2 URLs but --static-models has 1 model; give one model for each URL, or no models at all',
    ]);
  });

  it('takes one dynamic file, not two', () => {
    const argv = [...STATIC, '--dynamic-config-json', 'a', '--dynamic-config-yaml', 'b'];
    expect(problemsOf({ argv })).toEqual([
      '--dynamic-config-json and --dynamic-config-yaml exclude each other; give one',
    ]);
  });

  it('takes the API key from VLLM_API_KEY alone and never prints it', () => {
    const { settings, origins } = load({ argv: STATIC, env: { VLLM_API_KEY: 'sk-secret' } });
    expect([settings.vllmApiKey, origins.vllmApiKey]).toEqual(['sk-secret', 'env']);
    expect(load({ argv: STATIC, pluginSettings: { vllmApiKey: 'sk-2' } }).settings.vllmApiKey).toBe('sk-2');
    const problems = [
      ...problemsOf({ argv: STATIC, env: { VLLM_API_KEY: 'sk\nsecret' } }),
      ...problemsOf({ argv: [...STATIC, '--vllm-api-key', 'sk-secret'] }),
      ...problemsOf({ argv: [...STATIC, '--config', 'c'], files: { c: 'vllm_api_key: sk-secret' } }),
    ];
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain('secret');
  });

  describe('with a dynamic file at start', () => {
    const good = '{"service_discovery":"static","routing_logic":"roundrobin","static_backends":"http://f:1"}';

    it('lets the file supply the required flags', () => {
      const loaded = load({ argv: ['--dynamic-config-json', 'd'], files: { d: good } });
      expect(loaded.settings.staticBackends).toEqual(['http://f:1']);
      expect(loaded.dynamicFile?.version?.shown).toMatchObject({ static_backends: 'http://f:1' });
      expect(loaded.startup.draft.serviceDiscovery).toBeUndefined();
    });

    it.each([
      ['missing', {}, /^dynamic file "d": cannot be read: ENOENT/],
      ['broken', { d: '{' }, /^dynamic file "d": not valid JSON: /],
      ['wrong', { d: '{"service_discovery":"static"}' }, /^dynamic file "d": routing_logic is missing/],
    ])('serves by complete flags when it is %s, and shows the error', (_what, files, error) => {
      const loaded = load({ argv: [...STATIC, '--dynamic-config-json', 'd'], files });
      expect(loaded.settings.staticBackends).toHaveLength(2);
      expect(loaded.warnings).toEqual([expect.stringMatching(error)]);
      expect(loaded.dynamicFile?.version).toBeNull();
      expect(loaded.dynamicFile?.problems).toHaveLength(1);

      const problems = problemsOf({
        argv: ['--routing-logic', 'roundrobin', '--dynamic-config-json', 'd'],
        files,
      });
      expect(problems[0]).toMatch(/^--service-discovery is required/);
      expect(problems[1]).toMatch(error);
    });

    it('does not hold a flag against the operator that the file replaces', () => {
      const argv = [
        '--routing-logic',
        'session',
        '--service-discovery',
        'static',
        '--dynamic-config-json',
        'd',
      ];
      expect(load({ argv, files: { d: good } }).settings.routingLogic).toBe('roundrobin');
    });
  });
});

describe('the live page without a key', () => {
  it.each([
    ['0.0.0.0', 1],
    ['10.0.0.1', 1],
    ['127.0.0.1', 0],
    ['localhost', 0],
    ['::1', 0],
  ])('on %s: %d warnings', (host, count) => {
    const { warnings } = load({ argv: [...STATIC, '--dashboard', '--host', host] });
    expect(warnings.filter((warning) => warning.includes('--dashboard'))).toHaveLength(count);
  });
});

describe('readPluginPaths', () => {
  it('reads flag, else variable, else config file, whatever else is wrong', () => {
    const files = readFrom({ 'r.json': '{"plugin":["c.js"]}' });
    const argv = ['--nonsense', '--config', 'r.json', '--port', 'x'];
    expect(readPluginPaths([...argv, '--plugin', 'a.js'], { VLLM_ROUTER_PLUGIN: 'b.js' }, files)).toEqual([
      'a.js',
    ]);
    expect(readPluginPaths(argv, { VLLM_ROUTER_PLUGIN: 'b.js, b2.js' }, files)).toEqual(['b.js', 'b2.js']);
    expect(readPluginPaths(argv, {}, files)).toEqual(['c.js']);
    expect(readPluginPaths(['--config', 'gone'], {}, files)).toEqual([]);
    expect(readPluginPaths(['--plugin', ',,'], {})).toEqual([]);
  });
});
