// npm run show -- A3 [options]: demonstrates one promise of the project with real processes, prints its figures
// and a last line `A3: shown` (exit 0) or `A3: NOT shown: why` (exit 1); 2 when something it needs is missing.
// Without a name it lists what there is. Each show's options are in the head of its file.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { Missing } from './figures.mjs';
import { ROOT } from './processes.mjs';

/** File and one line for each. */
const SHOWS = {
  A1: ['a1-fresh-clone', "in fresh clones, the README's two commands, each as the first"],
  A2: [
    'a2-original-example',
    "installed, the original README's Example 1: every model on its engines, evenly",
  ],
  A3: ['a3-real-engines', 'two real vLLM engines: the openai client, then SIGKILL and SIGTERM under load'],
  A4: ['a4-real-kubernetes', 'a real kube-apiserver: the fleet follows every event'],
  A5: ['a5-reload', 'reloads under load, good files and broken ones: no request fails'],
  A6: ['a6-clients-leave', 'clients that leave: nothing stays behind, neither at the engines nor in a gauge'],
  A7: ['a7-odd-body', 'a 25 MB body of odd JSON arrives byte for byte, both ways'],
  A8: ['a8-streams-and-bodies', '300 streams stay smooth while eight 100 MiB bodies arrive'],
  A9: ['a9-manifests', 'manifests, metrics and start in a cluster'],
  A10: ['a10-extension', 'a new strategy and a new discovery, inside the project and outside it'],
  B5: ['b5-cost-stays', 'the cost of a request after two million, and that of session routing'],
  B6: ['b6-workers', 'two workers on one core and on two: processor time per request, and exact counters'],
  B7: ['b7-simulator', 'the simulated engine: 50,000 chunks/s of a core, and HTTP agrees with virtual time'],
  B8: ['b8-demo', 'the demo runs on the simulator: its pace, and hits in the prefix cache'],
  B10: ['b10-start-and-size', 'time to ready, memory idle and with 1,000 streams, size of what is installed'],
  C2: ['c2-agreement', 'wall-clock time through the real router agrees with virtual time, policy by policy'],
  C3: [
    'c3-other-engines',
    'prefixaware on simulated engines with other constants and another structure: still in the first two',
  ],
  C4: ['c4-two-workers', 'two workers of the router give the goodput of one'],
  C5: [
    'c5-slow-engines',
    'two of eight engines are slow: what is learned of them beside what an oracle knows',
  ],
  C6: ['c6-cache-hits', 'two real vLLM engines: prompts meet the prefix caches, as these count them'],
  C7: [
    'c7-decision',
    'a decision of prefixaware over 64 engines, bytes for each block, and 10 million distinct prompts',
  ],
  C8: ['c8-hostile-prompts', 'prompts that are made to slow a decision down do not'],
  C9: ['c9-virtual-speed', 'eight engines in simulated time, a hundred times faster than real time'],
  C11: ['c11-workers-learn', 'two workers: what one learns of a prompt, the other knows within 50 ms'],
  D2: [
    'd2-killed-engine',
    'an engine is killed under load: no request fails, and no stream, whose text is that without a break',
  ],
  D4: ['d4-overload', 'twice the load: goodput with and without the gate, and clients that come back'],
  D5: ['d5-tenants', 'a tenant that sends ten times its share: what the other one feels'],
  D3: ['d3-frozen-engine', 'SIGSTOP: a frozen engine is found, loses nothing, and comes back'],
  D6: [
    'd6-soak',
    'an hour or five million requests, many of which fail or are left: memory and handles stay',
  ],
  D7: [
    'd7-hostile-input',
    'smuggling, slow and malformed input: refused in bounded time, connection closed, nothing reaches an engine',
  ],
  D8: [
    'd8-dependencies',
    'known vulnerabilities of production dependencies, and the reason for each of them',
  ],
  E1: ['e1-live-page', 'the live page in Chromium: a killed engine turns red in time'],
  E2: [
    'e2-dashboards',
    'a real Prometheus scrapes for five minutes: every expression of dashboard, alerts and scalers has data',
  ],
  E3: ['e3-installs', 'helm install and kubectl apply of each overlay, as a real API server takes them'],
  E4: [
    'e4-trace',
    'a request that moved on to another engine, as a collector on the official definitions gets its trace',
  ],
  E6: [
    'e6-api',
    'schemathesis on /openapi.json: no 5xx, and no answer that contradicts it; one process, workers, keys',
  ],
};

function list() {
  console.log('npm run show -- NAME [options]\n');
  for (const [name, [, summary]] of Object.entries(SHOWS)) console.log(`  ${name.padEnd(4)} ${summary}`);
}

/** Installs and builds what is missing. */
function ensureBuilt() {
  const script = join(ROOT, 'scripts', 'ensure.mjs');
  if (!existsSync(script)) return;
  const { status } = spawnSync(process.execPath, [script], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) throw new Missing('the project does not build');
}

async function main([name, ...args]) {
  if (name === undefined) {
    list();
    return 0;
  }
  const key = name.toUpperCase();
  if (!Object.hasOwn(SHOWS, key)) {
    console.error(`there is no show ${JSON.stringify(name)}; there are ${Object.keys(SHOWS).join(', ')}`);
    return 2;
  }
  const [file, summary] = SHOWS[key];
  console.log(`${key}: ${summary}`);
  try {
    ensureBuilt();
    const { show } = await import(`./${file}.mjs`);
    const figures = await show(args);
    console.log(`${figures}`);
    const { problems } = figures;
    console.log(problems.length === 0 ? `${key}: shown` : `${key}: NOT shown: ${problems.join('; ')}`);
    return problems.length === 0 ? 0 : 1;
  } catch (error) {
    const missing = error instanceof Missing;
    console.log(
      `${key}: NOT shown: ${missing ? 'missing: ' : ''}${error instanceof Error ? error.message : error}`,
    );
    return missing ? 2 : 1;
  }
}

process.exit(await main(process.argv.slice(2)));
