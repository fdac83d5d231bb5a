// C5: two of eight engines are three times slower. What prefixaware learns of their pace brings its goodput within 2 %
// of an oracle that is told it. Simulated time.
//   --seeds 6
import { parseArgs } from 'node:util';
import { Figures } from './figures.mjs';
import { fleetOf, mean, policyCells, scaled } from './what-if.mjs';

const RATES = { b2b: 25, unique: 55, agent: 1.2 };
const POLICIES = ['prefixaware', 'prefixaware-oracle', 'leastload', 'roundrobin'];

export async function show(args) {
  const { values } = parseArgs({ args, options: { seeds: { type: 'string', default: '6' } } });
  const figures = new Figures();
  const slow = (profile) =>
    scaled(profile, {
      ...{ stepSeconds: 3, prefillSecondsPerToken: 3, attentionSeconds: 3 },
      ...{ decodeSecondsPerSequence: 3, kvReadSecondsPerToken: 3 },
    });
  const engines = await fleetOf(8, (profile, index) => (index < 2 ? slow(profile) : profile));
  for (const [workload, rate] of Object.entries(RATES)) {
    const runs = await policyCells({
      workload,
      rate,
      engines,
      policies: POLICIES,
      seeds: Number(values.seeds),
    });
    const goodput = (policy) => mean(runs[policy].map((run) => run.goodput));
    const ttft = (policy) => mean(runs[policy].map((run) => run.ttft.mean));
    for (const policy of POLICIES) {
      const told = `goodput ${goodput(policy).toFixed(3)}, mean TTFT ${ttft(policy).toFixed(3)} s`;
      figures.note(`${workload} ${rate}/s, ${policy}`, told);
    }
    const behind = goodput('prefixaware-oracle') - goodput('prefixaware');
    figures.check(`${workload}: behind the oracle`, behind.toFixed(3), '<= 0.02', behind <= 0.02);
  }
  return figures;
}
