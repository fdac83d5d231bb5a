// A9: a real API server accepts the manifests; promtool finds nothing in /metrics but what the names of
// production-stack bring along; the router starts beside a Service named vllm-router, whose variables Kubernetes
// puts into every pod. Needs KUBE_TOOLS_DIR, promtool (Debian package prometheus) and port 8001, the default.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { Figures, Missing } from './figures.mjs';
import { addTests, needKubernetes } from './jest-tier.mjs';
import {
  freshEnv,
  needFreePorts,
  ROOT,
  Running,
  startSimulatedEngine,
  staticFleet,
  untilReady,
} from './processes.mjs';

const MODEL = 'simulated';

/** What Kubernetes sets for a Service `vllm-router` with one port named http. */
const SERVICE_VARIABLES = {
  VLLM_ROUTER_SERVICE_HOST: '10.96.7.11',
  VLLM_ROUTER_SERVICE_PORT: '80',
  VLLM_ROUTER_SERVICE_PORT_HTTP: '80',
  VLLM_ROUTER_PORT: 'tcp://10.96.7.11:80',
  VLLM_ROUTER_PORT_80_TCP: 'tcp://10.96.7.11:80',
  VLLM_ROUTER_PORT_80_TCP_PROTO: 'tcp',
  VLLM_ROUTER_PORT_80_TCP_PORT: '80',
  VLLM_ROUTER_PORT_80_TCP_ADDR: '10.96.7.11',
};

/** What promtool may say: of production-stack's own names, that they hold ':' and that one gauge ends in _total. */
const EXPECTED =
  /^vllm:\S+ metric names should not contain ':'$|^vllm:healthy_pods_total non-counter metrics should not have "_total" suffix$/;

async function checkMetrics(figures, router) {
  for (const stream of [false, true]) {
    const body = JSON.stringify({
      model: MODEL,
      stream,
      max_tokens: 4,
      messages: [{ role: 'user', content: 'hi' }],
    });
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${router.url}/v1/chat/completions`, { method: 'POST', headers, body });
    figures.equal(`a request${stream ? ', streamed' : ''}: status`, answer.status, 200);
    await answer.text();
  }
  const text = await (await fetch(`${router.url}/metrics`)).text();
  const { stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  if (error) throw new Error(error.message);
  const said = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
  const unexpected = said.filter((line) => !EXPECTED.test(line));
  figures.note('promtool on compatible names', `${said.length - unexpected.length} lines, as design says`);
  figures.equal('promtool on anything else', unexpected.join('; ') || 'nothing', 'nothing');
}

export async function show() {
  needKubernetes();
  if (spawnSync('promtool', ['--version']).status !== 0)
    throw new Missing('promtool (Debian package prometheus)');
  await needFreePorts([8001]);
  const figures = new Figures();

  const engine = await startSimulatedEngine(['--model', MODEL]);
  const flags = [
    ...staticFleet([engine.url], MODEL),
    '--routing-logic',
    'roundrobin',
    '--engine-stats-interval',
    '1',
  ];
  const env = { ...freshEnv(), ...SERVICE_VARIABLES };
  const router = new Running(process.execPath, [join(ROOT, 'dist', 'main.js'), ...flags], { env });
  router.url = 'http://127.0.0.1:8001';
  await untilReady(router.url);
  figures.check(
    'beside a Service named vllm-router',
    'ready on port 8001',
    'its default port',
    router.ended === null,
  );
  await checkMetrics(figures, router);
  for (const running of [router, engine]) await running.stop();

  addTests(figures, 'jest.k8s.config.cjs', ['test/k8s/manifests']);
  return figures;
}
