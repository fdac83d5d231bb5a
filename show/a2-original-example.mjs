// A2: the package, installed into an empty prefix, runs Example 1 of production-stack's first router README word for
// word, before simulated engines on its three ports. 3,000 requests over both models: each model reaches only its
// engines, spread evenly to within one. Ports 8000 and 9001 to 9003 must be free.
//   --requests 3000  --prefix FOLDER (installed there already: skips npm)
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { Figures, Missing } from './figures.mjs';
import { LoadClient } from './load-client.mjs';
import {
  atEnd,
  freshEnv,
  needFreePorts,
  ROOT,
  run,
  Running,
  startSimulatedEngine,
  untilReady,
} from './processes.mjs';

/** src/vllm_router/README.md of vllm-project/production-stack at commit c1eb84bd. */
const EXAMPLE_1 = `vllm-router --port 8000 \\
    --service-discovery static \\
    --static-backends "http://localhost:9001,http://localhost:9002,http://localhost:9003" \\
    --static-models "facebook/opt-125m,meta-llama/Llama-3.1-8B-Instruct,facebook/opt-125m" \\
    --engine-stats-interval 10 \\
    --log-stats \\
    --routing-logic roundrobin`;

const OPT = 'facebook/opt-125m';
const LLAMA = 'meta-llama/Llama-3.1-8B-Instruct';
const ENGINES = [
  [9001, OPT],
  [9002, LLAMA],
  [9003, OPT],
];
const AT_ONCE = 16;

/** The models of the requests, in an order that one cursor over all of them would get wrong. */
const modelOf = (number) => ([0, 1, 3].includes(number % 7) ? LLAMA : OPT);

async function install(figures) {
  const prefix = mkdtempSync(join(tmpdir(), 'vllm-router-a2-'));
  atEnd(() => rmSync(prefix, { recursive: true, force: true }));
  const startedAt = performance.now();
  const args = [
    'install',
    '--global',
    '--install-links',
    '--prefix',
    prefix,
    ROOT,
    '--no-audit',
    '--no-fund',
  ];
  const { code, output } = await run('npm', args, { env: freshEnv() });
  if (code !== 0)
    throw new Missing(`npm install into an empty prefix (it ended with ${code}):\n${output.slice(-1500)}`);
  figures.note('npm install -g --install-links', `${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  return prefix;
}

async function sendAll(client, count, failures) {
  const sent = { [OPT]: 0, [LLAMA]: 0 };
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const number = next++;
      const model = modelOf(number);
      const chat = number % 2 === 0;
      const prompt = chat ? { messages: [{ role: 'user', content: 'hi' }] } : { prompt: 'hi' };
      const body = JSON.stringify({ model, max_tokens: 1, ...prompt });
      sent[model] += 1;
      const path = chat ? '/v1/chat/completions' : '/v1/completions';
      const { status, body: text } = await client.request({ path, body }).answer;
      if (status !== 200) failures.push(`${model}: ${status} ${text.toString().slice(0, 150)}`);
      else if (JSON.parse(text.toString()).model !== model)
        failures.push(`${model}: answered as another model`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return sent;
}

export async function show(args) {
  const options = { requests: { type: 'string', default: '3000' }, prefix: { type: 'string' } };
  const { values } = parseArgs({ args, options });
  const figures = new Figures();
  await needFreePorts([8000, ...ENGINES.map(([port]) => port)]);
  const prefix = values.prefix ?? (await install(figures));

  const engines = await Promise.all(
    ENGINES.map(([port, model]) => startSimulatedEngine(['--port', String(port), '--model', model])),
  );
  const path = `${join(prefix, 'bin')}${delimiter}${process.env.PATH}`;
  // exec: the signal at the end goes to the router and not to the shell.
  const router = new Running('sh', ['-c', `exec ${EXAMPLE_1}`], {
    cwd: prefix,
    env: { ...freshEnv(), PATH: path },
  });
  await router.says(/listening on/);
  router.url = 'http://127.0.0.1:8000';
  await untilReady(router.url);

  const models = (await (await fetch(`${router.url}/v1/models`)).json()).data.map(({ id }) => id).sort();
  figures.equal('GET /v1/models', models.join(' '), [OPT, LLAMA].sort().join(' '));
  const failures = [];
  const sent = await sendAll(new LoadClient(router.url), Number(values.requests), failures);
  figures.equal('requests that failed', failures[0] ?? 0, 0);
  const counts = await Promise.all(
    engines.map(async ({ url }) => (await (await fetch(`${url}/sim/stats`)).json()).requestCount),
  );
  ENGINES.forEach(([port, model], at) => {
    const share = sent[model] / ENGINES.filter(([, other]) => other === model).length;
    const holds = Math.abs(counts[at] - share) <= 1;
    figures.check(`requests at ${port} (${model})`, counts[at], `${share} (to within one)`, holds);
  });
  figures.equal(
    'requests at all engines',
    counts.reduce((sum, count) => sum + count),
    Number(values.requests),
  );
  for (const running of [router, ...engines]) await running.stop();
  return figures;
}
