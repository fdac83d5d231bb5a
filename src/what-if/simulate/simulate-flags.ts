import { PROFILES } from '../../simulator/model/engine-profile.js';
import { POLICY_NAMES } from '../policies.js';
import { REFERENCE_POLICIES } from '../reference-policies/index.js';
import { WORKLOADS } from '../workloads/index.js';

export interface SimulateFlag {
  /** Stands for the value; empty for a switch. */
  readonly value: string;
  readonly help: string;
}

/** The flags of `vllm-router simulate`. */
export const SIMULATE_FLAGS = {
  workload: { value: 'names', help: 'traffic, several with commas, or all; default chat' },
  policies: {
    value: 'names',
    help: 'what chooses the engines, several with commas, or all; default prefixaware,leastload,roundrobin',
  },
  engines: { value: 'n', help: 'engines, 1 to 64; default 8' },
  profile: {
    value: 'name',
    help: `what the engines run on: ${Object.keys(PROFILES).join(', ')}; default h100-8b`,
  },
  load: {
    value: 'factor',
    help: 'how much of what engines on h100-8b can just serve well; default 1. With --replay: how much faster',
  },
  rate: { value: 'n', help: 'new conversations a second, in place of --load' },
  seeds: { value: 'n', help: 'runs of each policy, all under the same arrivals, 1 to 100; default 3' },
  seconds: {
    value: 'n',
    help: 'what is measured, seconds of simulated time; default 160, or the whole replay',
  },
  'warm-up': { value: 'n', help: 'seconds before, which fill the caches; default 60, with --replay 0' },
  'ttft-target': {
    value: 'seconds',
    help: 'goodput counts requests with their first token in it; default 2, for l4-8b 4',
  },
  'tpot-target': {
    value: 'seconds',
    help: 'and with no more for each further token; default 0.05, for l4-8b 0.15',
  },
  routers: { value: 'n', help: 'processes of the router that share the requests, 1 to 64; default 1' },
  'no-share': { value: '', help: 'these processes do not tell each other what they know' },
  replay: {
    value: 'file',
    help: 'a decision log of the router, or a trace in the format of Mooncake, as traffic',
  },
  plot: {
    value: 'file.svg',
    help: 'writes a chart; with several workloads one each, named file-workload.svg',
  },
  json: { value: '', help: 'all figures as JSON on stdout' },
  threads: { value: 'n', help: 'runs at a time; default: as many as there are cores' },
} as const satisfies Readonly<Record<string, SimulateFlag>>;

export type SimulateFlagName = keyof typeof SIMULATE_FLAGS;

/** The text of `--help`. */
export function simulateHelp(): string {
  const flags = Object.entries(SIMULATE_FLAGS as Readonly<Record<string, SimulateFlag>>).map(
    ([name, { value, help }]) => `  --${`${name}${value === '' ? '' : ` <${value}>`}`.padEnd(22)}  ${help}\n`,
  );
  const workloads = WORKLOADS.map(
    ({ name, rate, description }) => `  ${name.padEnd(13)} ${`${rate}/s`.padEnd(6)} ${description}\n`,
  );
  const references = REFERENCE_POLICIES.map(({ strategyName }) => strategyName);
  const own = POLICY_NAMES.filter((name) => !references.includes(name));
  return `Usage: vllm-router simulate [flags]

Asks what would happen: the strategies that serve in this router, and the rules of other ones, choose among simulated
engines under made up or recorded traffic. Time is simulated too, a hundred times faster than real time or more.

Examples:
  vllm-router simulate --workload chat --engines 8 --profile h100-8b --policies prefixaware,roundrobin
  vllm-router simulate --workload all --policies all --load 1.1 --seeds 6 --plot policies.svg
  vllm-router simulate --replay decisions.jsonl --policies prefixaware,session --engines 4 --profile l4-8b

Flags:
${flags.join('')}  --help                    print this help

Workloads, with the conversations a second that are load 1 for 8 engines:
${workloads.join('')}
Policies that serve (values of --routing-logic):
  ${own.join(', ')}
Rules of other routers, in simulations alone:
  ${references.join(', ')}

Goodput is the share of the requests that kept both targets; what failed or still waits at the end did not. Intervals
are of 95 % confidence over the seeds. "cached" is the share of the prompts' tokens found in the engines' caches;
"imbalance" is what the busiest engine computed, over the mean.
`;
}
