import { isServiceVariable } from '../../../src/config/env-layer.js';
import { LEGACY_FLAGS } from '../../../src/config/legacy-flags.js';
import { envOf, flagOf } from '../../../src/config/setting-names.js';
import { SETTING_KEYS } from '../../../src/config/settings.schema.js';
import { load, problemsOf, STATIC } from './load.js';

/** What kubelet puts into a pod beside Services named vllm-router and vllm-router-service. */
const INJECTED = {
  VLLM_ROUTER_SERVICE_HOST: '10.96.0.10',
  VLLM_ROUTER_SERVICE_PORT: '80',
  VLLM_ROUTER_SERVICE_PORT_HTTP: '80',
  VLLM_ROUTER_PORT: 'tcp://10.96.0.10:80',
  VLLM_ROUTER_PORT_80_TCP: 'tcp://10.96.0.10:80',
  VLLM_ROUTER_PORT_80_TCP_PROTO: 'tcp',
  VLLM_ROUTER_PORT_80_TCP_PORT: '80',
  VLLM_ROUTER_PORT_80_TCP_ADDR: '10.96.0.10',
  VLLM_ROUTER_SERVICE_SERVICE_HOST: '10.96.0.11',
  VLLM_ROUTER_K8S_PORT: 'udp://10.96.0.12:53',
};

describe('environment', () => {
  it('has a variable for every flag', () => {
    expect(envOf('staticBackends')).toBe('VLLM_ROUTER_STATIC_BACKENDS');
    expect(envOf('k8sPort')).toBe('VLLM_ROUTER_K8S_PORT');
    expect(new Set(SETTING_KEYS.map(envOf)).size).toBe(SETTING_KEYS.length);
    expect(flagOf('k8sServiceDiscoveryType')).toBe('--k8s-service-discovery-type');
  });

  it('is the twin of the flags', () => {
    const { settings, origins } = load({
      env: {
        VLLM_ROUTER_SERVICE_DISCOVERY: 'static',
        VLLM_ROUTER_STATIC_BACKENDS: 'http://a, http://b',
        VLLM_ROUTER_ROUTING_LOGIC: 'roundrobin',
        VLLM_ROUTER_LOG_STATS: '1',
        VLLM_ROUTER_HOST: '',
        UNRELATED: 'x',
      },
    });
    expect(settings.staticBackends).toEqual(['http://a', 'http://b']);
    expect([settings.logStats, origins.logStats]).toEqual([true, 'env']);
    expect([settings.host, origins.host]).toEqual(['0.0.0.0', 'default']);
  });

  it('never takes what Kubernetes injects for a setting, and says nothing of it', () => {
    const { settings, warnings } = load({ argv: STATIC, env: INJECTED });
    expect([settings.port, settings.k8sPort]).toEqual([8001, 8000]);
    expect(warnings).toEqual([]);
  });

  it('still reads a port that is one', () => {
    expect(load({ argv: STATIC, env: { VLLM_ROUTER_PORT: '9000' } }).settings.port).toBe(9000);
    expect(problemsOf({ argv: STATIC, env: { VLLM_ROUTER_PORT: 'http://a' } })).toHaveLength(1);
    expect(isServiceVariable('VLLM_ROUTER_PORT', '9000')).toBe(false);
  });

  it('hides no setting behind the rule for injected variables', () => {
    expect(SETTING_KEYS.filter((key) => isServiceVariable(envOf(key), 'x'))).toEqual([]);
  });

  it('warns of an unknown variable', () => {
    expect(
      load({ argv: STATIC, env: { VLLM_ROUTER_HOTS: 'x', VLLM_ROUTER_NONSENSE_: 'y' } }).warnings,
    ).toEqual([
      'environment variable "VLLM_ROUTER_HOTS" is not a setting; did you mean VLLM_ROUTER_HOST?',
      'environment variable "VLLM_ROUTER_NONSENSE_" is not a setting',
    ]);
  });
});

describe('flags of production-stack without a meaning here', () => {
  it.each([...LEGACY_FLAGS])('--%s parses (%s) and warns once by name', (name, form) => {
    const argv = form === 'switch' ? [`--${name}`, `--${name}`] : [`--${name}`, 'v', `--${name}=w`];
    const { warnings } = load({ argv: [...argv, ...STATIC] });
    expect(warnings).toEqual([`--${name} has no meaning in this router and is ignored`]);
  });

  it('start the arguments that its Helm chart passes', () => {
    const argv =
      '--host 0.0.0.0 --port 8000 --service-discovery k8s --k8s-namespace llm --k8s-service-discovery-type pod-ip ' +
      '--k8s-label-selector environment=test,release=test --routing-logic session --session-key x-user-id ' +
      '--engine-stats-interval 15 --request-stats-window 60 --lmcache-controller-port 9000 --otel-secure';
    const { settings, warnings } = load({ argv: argv.split(' ') });
    expect(settings.k8sLabelSelector).toBe('environment=test,release=test');
    expect(settings.otelSecure).toBe(true);
    expect(warnings).toHaveLength(1);
  });

  it('are known as variables and in the config file as well', () => {
    const { warnings } = load({
      argv: [...STATIC, '--config', 'c.yaml'],
      env: { VLLM_ROUTER_SENTRY_DSN: 'x' },
      files: { 'c.yaml': 'enable_batch_api: true' },
    });
    expect(warnings).toEqual([
      'config file "c.yaml": enable_batch_api has no meaning in this router and is ignored',
      'VLLM_ROUTER_SENTRY_DSN has no meaning in this router and is ignored',
    ]);
  });
});
