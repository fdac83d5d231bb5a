import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { loadSettings } from '../../../src/config/load-settings.js';
import { SETTINGS } from '../../../src/config/settings.schema.js';
import { readEngineArguments } from '../../../src/simulator/engine-arguments.js';
import { readProjectFile, ROOT } from '../../support/project-files.js';

const NEEDED_TO_GO_DOWN = Number(SETTINGS.shutdownDelay.default) + Number(SETTINGS.shutdownTimeout.default);

describe('docker-compose.yaml', () => {
  interface Service {
    readonly image: string;
    readonly command?: readonly string[];
    readonly depends_on?: readonly string[];
    readonly volumes?: readonly string[];
    readonly ports?: readonly string[];
    readonly stop_grace_period?: string;
  }
  const compose = parse(readProjectFile('docker-compose.yaml'), { merge: true }) as {
    readonly services: Readonly<Record<string, Service>>;
    readonly volumes: Readonly<Record<string, null>>;
  };
  const names = Object.keys(compose.services);
  const serviceOf = (name: string): Service => compose.services[name] ?? { image: '' };
  const mounts = Object.values(compose.services).flatMap(({ volumes = [] }) =>
    volumes.map((volume) => volume.split(':') as [string, string]),
  );
  /** The port at which `vllm-router` answers in the container. */
  const portOf = (name: string): string | undefined =>
    /--port=(\d+)/.exec(serviceOf(name).command?.join(' ') ?? '')?.[1];
  const scraped = parse(readProjectFile('examples/compose/prometheus.yml'));

  it('has the router, two engines, Prometheus and Grafana', () => {
    expect(new Set(names)).toEqual(new Set(['router', 'engine-1', 'engine-2', 'prometheus', 'grafana']));
  });

  it('starts the router with flags that it takes, before the engines of the file', () => {
    const argv = serviceOf('router').command ?? [];
    const { settings, warnings } = loadSettings({ argv, env: {}, readFile: () => '' });
    expect(warnings).toEqual([]);
    expect(settings.staticBackends).toEqual(
      ['engine-1', 'engine-2'].map((name) => `http://${name}:${portOf(name)}`),
    );
    expect(Number.parseInt(serviceOf('router').stop_grace_period ?? '', 10)).toBeGreaterThan(
      NEEDED_TO_GO_DOWN,
    );
  });

  it.each(['engine-1', 'engine-2'])('starts %s with flags that it takes, open to the others', (name) => {
    const [command, ...argv] = serviceOf(name).command ?? [];
    expect(command).toBe('engine');
    expect(readEngineArguments(argv, {}).options.host).toBe('0.0.0.0');
  });

  it('mounts files that are there, each read-only, and volumes that it declares', () => {
    const [files, volumes] = [true, false].map((isFile) =>
      mounts.filter(([from]) => from.startsWith('./') === isFile),
    );
    expect(files?.filter(([from]) => !existsSync(join(ROOT, from)))).toEqual([]);
    expect(files?.filter((mount) => mount.at(-1) !== 'ro')).toEqual([]);
    expect(volumes?.map(([from]) => from)).toEqual(Object.keys(compose.volumes));
  });

  it('opens its ports to this machine alone, and none twice', () => {
    const ports = Object.values(compose.services).flatMap(({ ports: of = [] }) => of);
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
    expect(new Set(ports.map((port) => port.split(':')[1])).size).toBe(ports.length);
    expect(Object.values(compose.services).flatMap(({ depends_on: on = [] }) => on)).toEqual(
      expect.arrayContaining(['engine-1', 'engine-2', 'prometheus']),
    );
  });

  it('has Prometheus scrape the router and the engines, and load the alerts', () => {
    const targets = scraped.scrape_configs.flatMap(
      (job: { static_configs: { targets: string[] }[] }) => job.static_configs[0]?.targets,
    );
    expect(targets).toEqual(['router', 'engine-1', 'engine-2'].map((name) => `${name}:${portOf(name)}`));
    expect(mounts).toContainEqual([
      './k8s/observability/alerts.yaml',
      `/etc/prometheus/${scraped.rule_files[0]}`,
      'ro',
    ]);
  });

  it('has Grafana ask that Prometheus and load the dashboard', () => {
    const folder = 'examples/compose/grafana/provisioning';
    const [source] = parse(readProjectFile(`${folder}/datasources/prometheus.yaml`)).datasources;
    expect(source).toMatchObject({ type: 'prometheus', url: 'http://prometheus:9090', isDefault: true });
    expect(source.jsonData.timeInterval).toBe(scraped.global.scrape_interval);
    const [provider] = parse(readProjectFile(`${folder}/dashboards/vllm-router.yaml`)).providers;
    const [, dashboard = ''] = mounts.find(([from]) => from.endsWith('grafana-dashboard.json')) ?? [];
    expect(dashboard.startsWith(`${provider.options.path}/`)).toBe(true);
    expect(serviceOf('grafana')).toMatchObject({
      environment: { GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: dashboard },
    });
  });
});

describe('examples/systemd', () => {
  const unit = readProjectFile('examples/systemd/vllm-router.service');
  const valueOf = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1];

  it('starts the router with the variables of its file', () => {
    const lines = readProjectFile('examples/systemd/vllm-router.env').matchAll(/^([A-Z_]+)=(.*)$/gm);
    const env = Object.fromEntries([...lines].map(([, name, value]) => [name, value]));
    const { settings, warnings } = loadSettings({ argv: [], env, readFile: () => '' });
    expect(warnings).toEqual([]);
    expect(settings).toMatchObject({ port: 8001, serviceDiscovery: 'static', routingLogic: 'prefixaware' });
    expect(valueOf('ExecStart')).toBe('/usr/bin/env vllm-router');
    expect(valueOf('EnvironmentFile')).toMatch(/vllm-router\.env$/);
  });

  it('gives it time to go down, and does not start it again with settings that are wrong', () => {
    expect(Number(valueOf('TimeoutStopSec'))).toBeGreaterThan(NEEDED_TO_GO_DOWN);
    expect([valueOf('Restart'), valueOf('RestartPreventExitStatus')]).toEqual(['on-failure', '2']);
  });
});

describe('the chart', () => {
  const chart = parse(readProjectFile('charts/vllm-router/Chart.yaml'));
  const schema = JSON.parse(readProjectFile('charts/vllm-router/values.schema.json'));
  const values = parse(readProjectFile('charts/vllm-router/values.yaml'));

  it('is for the version of this package', () => {
    expect(chart.appVersion).toBe(
      (JSON.parse(readProjectFile('package.json')) as { version: string }).version,
    );
  });

  it('has a schema that knows each value, and no other', () => {
    // `global` is what helm gives to every chart.
    expect(new Set([...Object.keys(values), 'global'])).toEqual(new Set(Object.keys(schema.properties)));
    expect(schema.additionalProperties).toBe(false);
  });

  it('uses each of its values', () => {
    const templates = [
      'deployment',
      'service',
      'pdb',
      'hpa',
      'ingress',
      'rbac',
      'serviceaccount',
      'podmonitor',
    ]
      .map((name) => readProjectFile(`charts/vllm-router/templates/${name}.yaml`))
      .join('\n')
      .concat(readProjectFile('charts/vllm-router/templates/_helpers.tpl'));
    expect(Object.keys(values).filter((name) => !templates.includes(`.Values.${name}`))).toEqual([]);
  });
});
