import { parseArgs } from 'node:util';
import { SettingsError } from '../../config/settings-error.js';
import { type ProfileName, PROFILES } from '../../simulator/model/engine-profile.js';

import { POLICY_NAMES, policyNamed } from '../policies.js';
import { TARGETS, type Targets } from '../targets.js';
import { WORKLOADS } from '../workloads/index.js';
import { SIMULATE_FLAGS, type SimulateFlag, type SimulateFlagName } from './simulate-flags.js';

/** What the flags of `vllm-router simulate` ask for. */
export interface SimulateArguments {
  readonly help: boolean;
  /** Names; empty with a replay. */
  readonly workloads: readonly string[];
  readonly replay: string | null;
  readonly policies: readonly string[];
  readonly engines: number;
  readonly profile: ProfileName;
  readonly load: number;
  /** Conversations a second; null: by `load`. */
  readonly rate: number | null;
  readonly seeds: number;
  /** Null: as the traffic has it. */
  readonly seconds: number | null;
  readonly warmUp: number | null;
  readonly targets: Targets;
  readonly routers: number;
  readonly share: boolean;
  readonly plot: string | null;
  readonly json: boolean;
  /** Null: as many as there are cores. */
  readonly threads: number | null;
}

const DEFAULT_POLICIES = 'prefixaware,leastload,roundrobin';

/** @throws {SettingsError} with every problem, a line each */
export function readSimulateArguments(argv: readonly string[]): SimulateArguments {
  const problems: string[] = [];
  const given = readFlags(argv, problems);
  const text = (name: SimulateFlagName): string | null => given.get(name) ?? null;
  const number = (name: SimulateFlagName, least: number, most: number, whole = false): number | null => {
    const value = text(name);
    if (value === null) return null;
    const read = value.trim() === '' ? NaN : Number(value);
    if (read >= least && read <= most && (!whole || Number.isInteger(read))) return read;
    problems.push(`--${name} ${value}: ${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`);
    return null;
  };
  const replay = text('replay');
  if (replay !== null && given.has('workload')) problems.push('--replay and --workload: one of the two');
  if (given.has('rate') && given.has('load')) problems.push('--rate and --load: one of the two');
  if (replay !== null && given.has('rate'))
    problems.push('--rate: with --replay give --load, how much faster');
  const profile = profileOf(text('profile') ?? 'h100-8b', problems);
  const known = WORKLOADS.map(({ name }) => name);
  const read: SimulateArguments = {
    help: given.has('help'),
    workloads: replay === null ? namesOf('workload', text('workload') ?? 'chat', known, problems) : [],
    replay,
    policies: policiesOf(text('policies') ?? DEFAULT_POLICIES, problems),
    engines: number('engines', 1, 64, true) ?? 8,
    profile,
    load: number('load', 0.01, 100) ?? 1,
    rate: number('rate', 0.001, 10_000),
    seeds: number('seeds', 1, 100, true) ?? (replay === null ? 3 : 1),
    seconds: number('seconds', 1, 100_000),
    warmUp: number('warm-up', 0, 100_000),
    targets: {
      ttft: number('ttft-target', 0.001, 3_600) ?? TARGETS[profile].ttft,
      tpot: number('tpot-target', 0.0001, 60) ?? TARGETS[profile].tpot,
    },
    routers: number('routers', 1, 64, true) ?? 1,
    share: !given.has('no-share'),
    plot: text('plot'),
    json: given.has('json'),
    threads: number('threads', 1, 256, true),
  };
  if (problems.length > 0 && !read.help) throw new SettingsError(problems);
  return read;
}

function readFlags(argv: readonly string[], problems: string[]): Map<string, string> {
  const flags: Readonly<Record<string, SimulateFlag>> = SIMULATE_FLAGS;
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { value }]) => [
      name,
      { type: value === '' ? ('boolean' as const) : ('string' as const) },
    ]),
  );
  const { tokens } = parseArgs({
    args: [...argv],
    options: { ...options, help: { type: 'boolean', short: 'h' } },
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'positional') problems.push(`${token.value}: flags alone are taken`);
    if (token.kind !== 'option') continue;
    const { name, value, rawName } = token;
    const takes = Object.hasOwn(flags, name) ? flags[name]?.value : name === 'help' ? '' : undefined;
    if (takes === undefined)
      problems.push(`${rawName}: there is no such flag; see vllm-router simulate --help`);
    else if (takes !== '' && (value === undefined || value === '')) problems.push(`--${name}: needs a value`);
    else given.set(name, value ?? '');
  }
  return given;
}

const listed = (list: string): string[] => [...new Set(list.split(',').map((name) => name.trim()))];

function namesOf(flag: string, list: string, known: readonly string[], problems: string[]): string[] {
  if (list === 'all') return [...known];
  const names = listed(list);
  for (const name of names) {
    if (!known.includes(name)) problems.push(`--${flag} ${name}: one of ${known.join(', ')}, or all`);
  }
  return names;
}

/** An alias becomes the name that it stands for. */
function policiesOf(list: string, problems: string[]): string[] {
  if (list === 'all') return [...POLICY_NAMES];
  const names = listed(list).map((name) => {
    try {
      return policyNamed(name).strategyName;
    } catch {
      problems.push(`--policies ${name}: one of ${POLICY_NAMES.join(', ')}, or all`);
      return name;
    }
  });
  return [...new Set(names)];
}

function profileOf(name: string, problems: string[]): ProfileName {
  if (Object.hasOwn(PROFILES, name)) return name as ProfileName;
  problems.push(`--profile ${name}: one of ${Object.keys(PROFILES).join(', ')}`);
  return 'h100-8b';
}
