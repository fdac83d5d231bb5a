// Runs test files of the project and takes each test over as a figure.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Missing } from './figures.mjs';
import { ROOT } from './processes.mjs';

/** Runs the files that match `patterns` under a jest configuration; fails when there are none. */
export function addTests(figures, config, patterns) {
  const folder = mkdtempSync(join(tmpdir(), 'vllm-router-jest-'));
  const file = join(folder, 'results.json');
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const args = [jest, '--config', join(ROOT, config), '--json', `--outputFile=${file}`, ...patterns];
  // stdout holds the same JSON again.
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  let results;
  try {
    results = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new Error(`jest ended with ${status} and left no results; see above`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const { assertionResults, message } of results.testResults) {
    if (assertionResults.length === 0) throw new Error(message.slice(0, 1000));
    for (const { fullName, status: outcome, duration } of assertionResults) {
      const seconds = `${outcome}, ${((duration ?? 0) / 1000).toFixed(1)} s`;
      const name = fullName.length > 100 ? `${fullName.slice(0, 97)}...` : fullName;
      figures.check(name, seconds, 'passed', outcome === 'passed');
    }
  }
  if (results.numTotalTests === 0) throw new Error(`there is no test that matches ${patterns.join(' ')}`);
}

/** Throws Missing unless the parts of the Kubernetes tier are named. */
export function needKubernetes() {
  if (!process.env.KUBE_TOOLS_DIR) {
    throw new Missing('KUBE_TOOLS_DIR: give the folder that holds build.sh, up.sh and down.sh');
  }
}
