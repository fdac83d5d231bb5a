// C3: the ranking of policies does not come from the simulator. With each constant of the engines moved by half, and with
// their structure changed, prefixaware stays among the first two on goodput and on the 90th percentile of the time to first
// token; at 110 % of the load it is no worse than roundrobin on hot, and than any on b2b. Simulated time. With four seeds or
// more another policy is better there where the paired 95 % interval of the difference lies above .02, as in npm run policy:
// beyond capacity goodput falls off a cliff, and the mean of few seeds says little.
//   --seeds 2
//   --workloads a,b       of b2b, chat, hot, agent, mix, unique, decode-heavy
//   --variants a,b        by the beginning of their names; list: to see them
//   --policies a,b        beside prefixaware
import { parseArgs } from 'node:util';
import { Figures } from './figures.mjs';
import { fleetOf, mean, paired, policyCells, scaled, workloadsNamed } from './what-if.mjs';

const OTHERS = 'roundrobin,leastload,session,sglang,smg,llm-d,lmetric,dynamo';
/** Better by less than that is as good. */
const GOODPUT_LEVEL = 0.02;
const TIME_LEVEL = 1.1;
/** Fewer seeds are judged by their mean. */
const JUDGED_BY_INTERVAL = 4;

const CONSTANTS = {
  t0: ['stepSeconds'],
  tp: ['prefillSecondsPerToken', 'attentionSeconds'],
  td: ['decodeSecondsPerSequence', 'kvReadSecondsPerToken'],
  'kv size': ['blocks'],
  budget: ['maxBatchedTokens'],
};
const STRUCTURES = {
  'no preemption': { preempts: false },
  'preempted blocks forgotten': { keepsPreempted: false },
  'evicts from the root': { evicts: 'root' },
  'prefill and decodes overlap': { stepTime: 'longest' },
  'cached when computed': { caches: 'computed' },
};
const VARIANTS = [
  { name: 'as it is', factors: {} },
  ...Object.entries(CONSTANTS).flatMap(([name, keys]) =>
    [0.5, 1.5].map((factor) => ({
      name: `${name} x ${factor}`,
      factors: Object.fromEntries(keys.map((key) => [key, factor])),
    })),
  ),
  ...Object.entries(STRUCTURES).map(([name, structure]) => ({ name, factors: {}, structure })),
];

/** Goodput, and the 90th percentile of the time to first token, of each policy. */
async function compared({ factors, structure }, workload, load, policies, seeds) {
  const engines = await fleetOf(8, (profile) => scaled(profile, factors));
  const model = structure === undefined ? {} : { model: { structure } };
  const rate = workload.rate * load;
  const runs = await policyCells({ ...model, workload: workload.name, rate, engines, policies, seeds });
  return policies.map((policy) => ({
    policy,
    goodput: mean(runs[policy].map((run) => run.goodput)),
    goodputs: runs[policy].map((run) => run.goodput),
    p90: mean(runs[policy].map((run) => run.ttft.p90)),
  }));
}

const between = ({ low, high }) => `${low.toFixed(3)} to ${high.toFixed(3)}`;
const wordsOf = ({ policy, goodput, p90 }) => `${policy} ${goodput.toFixed(3)}/${p90.toFixed(2)} s`;

function judgeRank(figures, name, [own, ...others]) {
  const ahead = others.filter(({ goodput }) => goodput > own.goodput + GOODPUT_LEVEL);
  const sooner = others.filter(({ p90, goodput }) => {
    return p90 * TIME_LEVEL < own.p90 && goodput > own.goodput - GOODPUT_LEVEL;
  });
  const told = [...new Set([...ahead, ...sooner])].map(wordsOf).join(', ');
  const value = `${wordsOf(own)}${told === '' ? '' : `; ahead: ${told}`}`;
  figures.check(name, value, 'in the first two', ahead.length < 2 && sooner.length < 2);
}

export async function show(args) {
  const { values } = parseArgs({
    args,
    options: {
      seeds: { type: 'string', default: '2' },
      workloads: { type: 'string' },
      variants: { type: 'string' },
      policies: { type: 'string', default: OTHERS },
    },
  });
  const figures = new Figures();
  const seeds = Number(values.seeds);
  const policies = ['prefixaware', ...values.policies.split(',')];
  const wanted = values.variants?.split(',');
  const variants = VARIANTS.filter(({ name }) => wanted?.some((begin) => name.startsWith(begin)) ?? true);
  if (values.variants === 'list') {
    for (const { name } of VARIANTS) figures.note(name, '');
    return figures;
  }
  for (const variant of variants) {
    for (const workload of await workloadsNamed(values.workloads)) {
      const rows = await compared(variant, workload, 1, policies, seeds);
      judgeRank(figures, `${variant.name}, ${workload.name}`, rows);
    }
    for (const [name, compete] of Object.entries({ hot: ['prefixaware', 'roundrobin'], b2b: policies })) {
      const [workload] = await workloadsNamed(name);
      const [own, ...others] = await compared(variant, workload, 1.1, compete, seeds);
      const gains = await Promise.all(
        others.map(async (other) => ({ ...other, gain: await paired(other.goodputs, own.goodputs) })),
      );
      const level = ({ gain }) => (seeds < JUDGED_BY_INTERVAL ? gain.mean : gain.low) <= GOODPUT_LEVEL;
      const better = gains.filter((one) => !level(one));
      const ahead = gains.filter((one) => level(one) && one.gain.mean > GOODPUT_LEVEL);
      const told = ({ gain, ...row }) => `${wordsOf(row)} (by ${between(gain)})`;
      const value = [
        wordsOf(own),
        ...better.map((one) => `better: ${told(one)}`),
        ...ahead.map((one) => `ahead by chance: ${told(one)}`),
      ].join('; ');
      figures.check(`${variant.name}, ${name} at 110 %`, value, 'no worse', better.length === 0);
    }
  }
  return figures;
}
