// C4: two workers of the router and one give the same goodput within noise, on b2b and agent; beside it, what two give
// that do not tell each other what they know. Simulated time, news every 40 ms as in the router.
//   --seeds 6
import { parseArgs } from 'node:util';
import { Figures } from './figures.mjs';
import { fleetOf, mean, paired, policyCells } from './what-if.mjs';

const RATES = { b2b: 38, agent: 2 };

export async function show(args) {
  const { values } = parseArgs({ args, options: { seeds: { type: 'string', default: '6' } } });
  const figures = new Figures();
  const engines = await fleetOf(8);
  for (const [workload, rate] of Object.entries(RATES)) {
    const goodputs = async (over) => {
      const common = { workload, rate, engines, policies: ['prefixaware'], seeds: Number(values.seeds) };
      const { prefixaware } = await policyCells({ ...common, ...over });
      return prefixaware.map((run) => run.goodput);
    };
    const one = await goodputs({});
    const two = await goodputs({ routers: 2 });
    const apart = await goodputs({ routers: 2, share: false });
    figures.note(`${workload} ${rate}/s, one worker`, mean(one).toFixed(3));
    figures.note(`${workload} ${rate}/s, two that share`, mean(two).toFixed(3));
    figures.note(`${workload} ${rate}/s, two that do not`, mean(apart).toFixed(3));
    const { mean: difference, low, high } = await paired(two, one);
    const value = `${difference.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`;
    const holds = high > -0.02 && Math.abs(difference) < 0.03;
    figures.check(`${workload}: two less one`, value, 'within noise', holds);
  }
  return figures;
}
