// npm run policy -- [options]: compares all strategies and the rules of other routers on simulated engines, and fails
// when `prefixaware` loses where it is not known to. The whole comparison writes docs/routing-quality.md and its charts;
// a part of it prints tables alone.
//
//   --load 0.6,1,1.1      loads, 1 is what eight engines can just serve well
//   --seeds 6             runs of each policy under each traffic
//   --workloads a,b       of b2b, chat, hot, agent, mix, unique, decode-heavy
//   --policies a,b        beside prefixaware
//   --seconds 160 --warm-up 60
//   --threads N           runs at a time; as many as there are cores
//   --page FILE           where the page goes in place of docs/routing-quality.md, whatever was compared
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const part = async (path) => import(join(root, 'dist', path));
const { PROFILES } = await part('simulator/model/engine-profile.js');
const { runCells } = await part('what-if/cells/run-cells.js');
const { POLICY_NAMES } = await part('what-if/policies.js');
const { policyChart } = await part('what-if/report/policy-chart.js');
const { policyRow } = await part('what-if/report/policy-row.js');
const { textTable } = await part('what-if/report/policy-table.js');
const { Progress } = await part('what-if/report/progress.js');
const { lossesOf, qualityPage } = await part('what-if/report/quality-page.js');
const { wordsOf } = await part('what-if/report/verdict.js');
const { WORKLOADS } = await part('what-if/workloads/index.js');

const OWN = 'prefixaware';
const PAGE = join(root, 'docs', 'routing-quality.md');
const { values } = parseArgs({
  options: {
    load: { type: 'string', default: '0.6,1,1.1' },
    seeds: { type: 'string', default: '6' },
    workloads: { type: 'string', default: WORKLOADS.map(({ name }) => name).join(',') },
    policies: { type: 'string', default: POLICY_NAMES.join(',') },
    seconds: { type: 'string', default: '160' },
    'warm-up': { type: 'string', default: '60' },
    threads: { type: 'string', default: String(availableParallelism()) },
    page: { type: 'string' },
  },
});
const loads = values.load.split(',').map(Number);
const seeds = Number(values.seeds);
const policies = [...new Set([OWN, ...values.policies.split(',')])];
const workloads = WORKLOADS.filter(({ name }) => values.workloads.split(',').includes(name));
const traffics = loads.flatMap((load) =>
  workloads.map((workload) => ({ load, workload, rate: workload.rate * load })),
);
const whole =
  loads.length === 3 &&
  seeds >= 6 &&
  workloads.length === WORKLOADS.length &&
  policies.length === POLICY_NAMES.length;

const cells = traffics.flatMap(({ workload, rate }) =>
  policies.flatMap((policy) =>
    Array.from({ length: seeds }, (_, seed) => ({
      ...{ policy, workload: workload.name, rate, seed: seed + 1 },
      engines: Array.from({ length: 8 }, () => PROFILES['h100-8b']),
      ...{
        seconds: Number(values.seconds),
        warmUp: Number(values['warm-up']),
        targets: { ttft: 2, tpot: 0.05 },
      },
    })),
  ),
);

const lengths = { seeds, seconds: Number(values.seconds), warmUp: Number(values['warm-up']) };
const progress = new Progress(process.stderr, cells.length, () => performance.now());
const figures = await runCells(cells, Number(values.threads), (index) =>
  progress.advance(`${cells[index].policy} on ${cells[index].workload}`),
);
progress.end();

let from = 0;
const results = traffics.map(({ load, workload, rate }) => ({
  ...{ workload: workload.name, description: workload.description, load, rate },
  rows: policies.map((policy) => policyRow(policy, figures.slice(from, (from += seeds)))),
}));
for (const { workload, load, rate, rows } of results) {
  console.log(`${workload}, load ${load}, ${rate.toFixed(2)} conversations/s\n\n${textTable(rows)}`);
}

const page = values.page ?? (whole ? PAGE : null);
if (page !== null) {
  const charts = join(dirname(page), 'routing-quality');
  const chartOf = ({ workload, load }) => join(charts, `${workload}-${Math.round(load * 100)}.svg`);
  mkdirSync(charts, { recursive: true });
  for (const traffic of results) {
    const title = `${traffic.workload} at ${Math.round(traffic.load * 100)} % of the load`;
    writeFileSync(chartOf(traffic), policyChart(title, traffic.rows, OWN));
  }
  writeFileSync(
    page,
    qualityPage(results, OWN, lengths, (traffic) => relative(dirname(page), chartOf(traffic))),
  );
  console.log(`written: ${relative(process.cwd(), page)}`);
}

const losses = lossesOf(results, OWN);
for (const { workload, load, verdict, reason } of losses) {
  console.log(`${workload}, load ${load}: ${wordsOf(verdict)}; ${reason ?? 'NOT known'}`);
}
const unknown = losses.filter(({ reason }) => reason === null).length;
console.log(`${OWN}: ${losses.length} losses, ${unknown} of them not known`);
process.exit(unknown === 0 ? 0 : 1);
