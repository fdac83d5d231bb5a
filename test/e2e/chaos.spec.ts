import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ROOT } from '../support/project-files.js';

const run = promisify(execFile);

it('the short form of chaos loses nothing that could be saved', async () => {
  const flags = ['--minutes', '0.12', '--seed', '4', '--engines', '3', '--rate', '15'];
  const short = ['--phase-seconds', '4', '--most-tokens', '40'];
  // It fails by its exit code, and what it printed is in the error.
  const { stdout } = await run(process.execPath, ['chaos/run.mjs', ...flags, ...short], { cwd: ROOT });
  expect(stdout).toMatch(/^chaos 4: held$/m);
}, 180_000);
