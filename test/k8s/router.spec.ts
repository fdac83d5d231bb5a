import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parse } from 'yaml';
import { Cluster } from './support/cluster.js';
import { Figures } from './support/followed-fleet.js';
import { freePort, HELD, RouterProcess, startEngine } from './support/router-process.js';

const manifest = (name: string): string => readFileSync(`${process.cwd()}/k8s/base/${name}`, 'utf8');
const POD = { app: 'vllm' };

/** What Kubernetes sets in every pod beside a Service named vllm-router. */
const SERVICE_LINKS = {
  VLLM_ROUTER_SERVICE_HOST: '10.96.7.7',
  VLLM_ROUTER_SERVICE_PORT: '80',
  VLLM_ROUTER_SERVICE_PORT_HTTP: '80',
  VLLM_ROUTER_PORT: 'tcp://10.96.7.7:80',
  VLLM_ROUTER_PORT_80_TCP: 'tcp://10.96.7.7:80',
  VLLM_ROUTER_PORT_80_TCP_PROTO: 'tcp',
  VLLM_ROUTER_PORT_80_TCP_PORT: '80',
  VLLM_ROUTER_PORT_80_TCP_ADDR: '10.96.7.7',
};

const figures = new Figures('the router, with the manifests of k8s/ and all service-link variables set');
const engines: Server[] = [];
let cluster: Cluster;
let router: RouterProcess;
let port: number;

/** The args of the Deployment, with this machine's places in them. */
function manifestArgs(): readonly string[] {
  const config = join(cluster.folder, 'dynamic-config.json');
  writeFileSync(config, parse(manifest('configmap.yaml')).data['dynamic-config.json']);
  const args: readonly string[] = parse(manifest('deployment.yaml')).spec.template.spec.containers[0].args;
  return args
    .filter((arg) => !arg.startsWith('--host=') && !arg.startsWith('--port='))
    .map((arg) => arg.replace('$(POD_NAMESPACE)', 'default'))
    .map((arg) => arg.replace('/etc/vllm-router/dynamic-config.json', config))
    .map((arg) => arg.replace('--k8s-port=8000', `--k8s-port=${port}`));
}

async function within(
  event: string,
  limitMs: number,
  began: number,
  holds: () => Promise<boolean>,
): Promise<void> {
  while (!(await holds())) {
    if (performance.now() - began > limitMs) {
      const health = JSON.stringify((await router.get('/health')).body);
      throw new Error(`${event}: not within ${limitMs} ms; /health: ${health}\n${router.output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  figures.add(event, performance.now() - began, limitMs);
}

async function discoveryState(): Promise<{ state: string; reason: string | null }> {
  const { status, body } = await router.get('/health');
  expect([status, body['status']]).toEqual([200, 'healthy']);
  return body['discovery'] as { state: string; reason: string | null };
}

beforeAll(async () => {
  cluster = await Cluster.start('router');
  await cluster.kubectl('apply', '-k', `${process.cwd()}/k8s`);
  port = await freePort();
  for (const [ip, model] of [
    ['127.0.0.71', 'first'],
    ['127.0.0.72', 'second'],
  ] as const) {
    engines.push(await startEngine(ip, port, model));
  }
  router = await RouterProcess.start([...manifestArgs(), '--shutdown-delay=0'], {
    KUBECONFIG: await cluster.kubeconfigOf('vllm-router'),
    ...SERVICE_LINKS,
  });
});

afterAll(async () => {
  await router?.stop();
  for (const engine of engines) engine.close();
  await cluster?.wipe();
  figures.print();
});

it('serves the models of the pods that are ready, and says so', async () => {
  await within(
    'synced after the start',
    5_000,
    performance.now(),
    async () => (await discoveryState()).state === 'synced',
  );
  expect((await router.get('/health')).body).toHaveProperty('dynamic_config.service_discovery', 'k8s');
  for (const [name, ip] of [
    ['first', '127.0.0.71'],
    ['second', '127.0.0.72'],
  ] as const) {
    await cluster.addPod(name, POD);
    const began = performance.now();
    await cluster.status(name, { ip });
    await within(`a pod becomes ready: its model is in /v1/models`, 2_000, began, async () =>
      (await router.models()).includes(name),
    );
    expect(await router.chat(name)).toMatchObject({ status: 200, body: { id: ip } });
  }
});

it('stops sending to a pod that terminates, which ends what it has', async () => {
  const [, second] = engines as [Server, Server];
  const holds = once(second, 'held');
  const held = router.chat('second', HELD);
  await holds;
  const began = performance.now();
  await cluster.deletePod('second', 30);
  await within(
    'a pod terminates: its model is gone',
    2_000,
    began,
    async () => !(await router.models()).includes('second'),
  );
  expect((await router.chat('second')).status).toBeGreaterThanOrEqual(400);
  expect((await router.chat('first')).status).toBe(200);
  const drains = { url: `http://127.0.0.72:${port}`, state: 'draining', reason: null };
  expect((await router.get('/health')).body).toHaveProperty('engines.not_ready', [drains]);
  second.emit('answer');
  expect(await held).toMatchObject({ status: 200, body: { id: '127.0.0.72' } });
});

it('serves on while the API server is away, says why, and follows again', async () => {
  const killed = performance.now();
  await cluster.killApiServer();
  await within(
    'API server killed: /health says so',
    2_000,
    killed,
    async () => (await discoveryState()).state === 'degraded',
  );
  expect((await discoveryState()).reason).toContain('ECONNREFUSED');
  expect(await router.chat('first')).toMatchObject({ status: 200, body: { id: '127.0.0.71' } });
  await cluster.up();
  const began = performance.now();
  await cluster.status('first', { ip: '127.0.0.71', ready: false });
  await within(
    'API server back: a pod that became unready is gone',
    5_000,
    began,
    async () => !(await router.models()).includes('first'),
  );
  await within(
    'API server back: synced',
    5_000,
    began,
    async () => (await discoveryState()).state === 'synced',
  );
});

it('ends with exit code 0 on SIGTERM', async () => {
  expect(await router.stop()).toBe(0);
});
