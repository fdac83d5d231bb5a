import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = join(__dirname, '../../dist/main.js');
/** Half a minute of simulated time, less than a second of real time. */
const SHORT = ['--engines', '2', '--load', '0.5', '--seconds', '10', '--warm-up', '5', '--seeds', '2'];

function simulate(...flags: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'simulate', ...flags], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('vllm-router simulate', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'simulate-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('prints a table with a line for each policy, and tells on stderr how far it is', () => {
    const { status, stdout, stderr } = simulate(...SHORT, '--policies', 'prefixaware,roundrobin,llm-d');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^chat, 3 conversations\/s, 2 engines on h100-8b\n\npolicy +goodput/);
    for (const policy of ['prefixaware', 'roundrobin', 'llm-d']) expect(stdout).toContain(`\n${policy} `);
    expect(stderr).toContain('6 of 6 runs');
  });

  it('gives the same figures with one thread and with two, as JSON', () => {
    const flags = [...SHORT, '--seeds', '1', '--json', '--policies', 'prefixaware,random', '--threads'];
    const [one, two] = [simulate(...flags, '1'), simulate(...flags, '2')];
    expect(one.stdout).toBe(two.stdout);
    expect(JSON.parse(one.stdout)).toMatchObject([{ workload: 'chat', policies: [{}, {}] }]);
  });

  it('writes a chart for each workload', () => {
    const plot = join(folder, 'chart.svg');
    const { status } = simulate(
      ...SHORT,
      '--seeds',
      '1',
      '--workload',
      'hot,unique',
      '--policies',
      'prefixaware,session',
      '--plot',
      plot,
    );
    expect(status).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(['chart-hot.svg', 'chart-unique.svg']);
    expect(readFileSync(join(folder, 'chart-hot.svg'), 'utf8')).toMatch(
      /^<svg [\s\S]*prefixaware[\s\S]*<\/svg>\n$/,
    );
  });

  it('replays a trace', () => {
    const trace = join(folder, 'trace.jsonl');
    const line = (at: number): string =>
      JSON.stringify({
        timestamp: at * 100,
        input_length: 1030,
        output_length: 20,
        hash_ids: [1, 2, 90 + at],
      });
    writeFileSync(trace, Array.from({ length: 50 }, (_, at) => line(at)).join('\n'));
    const { status, stdout } = simulate('--replay', trace, '--policies', 'prefixaware', '--json');
    expect(status).toBe(0);
    const [{ policies }] = JSON.parse(stdout);
    expect(policies[0].runs[0]).toMatchObject({ requests: 50, goodput: 1, unfinished: 0 });
    expect(policies[0].hitRate).toBeGreaterThan(0.8);
  });

  it('refuses what cannot work in one line, with exit code 2', () => {
    expect(simulate('--engines', '0')).toEqual({
      ...{ status: 2, stdout: '' },
      stderr: '--engines 0: a whole number from 1 to 64\n',
    });
    expect(simulate('--replay', join(folder, 'none')).stderr).toMatch(
      /^--replay .*none: .*no such file.*\n$/,
    );
  });
});
