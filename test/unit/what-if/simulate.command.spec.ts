import { SettingsError } from '../../../src/config/settings-error.js';
import { POLICY_NAMES } from '../../../src/what-if/policies.js';
import { plannedTraffics } from '../../../src/what-if/simulate/planned-cells.js';
import { readSimulateArguments } from '../../../src/what-if/simulate/simulate-arguments.js';
import { SIMULATE_FLAGS, simulateHelp } from '../../../src/what-if/simulate/simulate-flags.js';

const problemsOf = (...argv: string[]): readonly string[] => {
  try {
    readSimulateArguments(argv);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
};

describe('the flags of simulate', () => {
  it('compare what serves on chat unless they say more', () => {
    expect(readSimulateArguments([])).toMatchObject({
      ...{ workloads: ['chat'], engines: 8, profile: 'h100-8b', load: 1, rate: null, seeds: 3 },
      policies: ['prefixaware', 'leastload', 'roundrobin'],
    });
  });

  it('name every mistake in a line of its own, with what is allowed', () => {
    const problems = problemsOf(
      '--workload',
      'x',
      '--policies',
      'y,leastload',
      '--engines',
      '0',
      '--bad',
      'z',
    );
    expect(problems).toHaveLength(5);
    expect(problems.join('\n')).toContain('--workload x: one of b2b, chat,');
    expect(problems.join('\n')).toContain('--engines 0: a whole number from 1 to 64');
  });

  it('do not go together where one takes the place of another', () => {
    expect(problemsOf('--rate', '5', '--load', '1')).toEqual(['--rate and --load: one of the two']);
    expect(problemsOf('--replay', 'f', '--workload', 'chat')).toEqual([
      '--replay and --workload: one of the two',
    ]);
  });

  it('take an alias for the policy that it stands for', () => {
    expect(readSimulateArguments(['--policies', 'loadaware,leastload']).policies).toEqual(['leastload']);
  });

  it('are all in the help, as are policies and workloads, and help is given whatever else is wrong', () => {
    const help = simulateHelp();
    for (const name of [...Object.keys(SIMULATE_FLAGS), ...POLICY_NAMES, 'decode-heavy']) {
      expect(help).toContain(name);
    }
    expect(readSimulateArguments(['--help', '--engines', '0']).help).toBe(true);
  });
});

describe('the runs that are planned', () => {
  it('are one for each policy and seed, under a rate that goes with the engines', () => {
    const flags = [
      '--workload',
      'hot,b2b',
      '--engines',
      '4',
      '--load',
      '1.1',
      '--seeds',
      '2',
      '--policies',
      'random',
    ];
    const traffics = plannedTraffics(readSimulateArguments(flags));
    expect(traffics.map(({ workload }) => workload)).toEqual(['b2b', 'hot']);
    const [, hot] = traffics;
    expect(hot?.cells.map(({ policy, seed, rate, engines }) => [policy, seed, rate, engines.length])).toEqual(
      [
        ['random', 1, 33, 4],
        ['random', 2, 33, 4],
      ],
    );
  });

  it('measure the whole of a replay', () => {
    const [traffic] = plannedTraffics(readSimulateArguments(['--replay', 'f', '--load', '2']), 100);
    expect(traffic?.cells[0]).toMatchObject({ replay: 'f', rate: 2, seconds: 51, warmUp: 0, seed: 1 });
  });
});
