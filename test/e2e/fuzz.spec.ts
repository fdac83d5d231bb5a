import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ROOT } from '../support/project-files.js';

const run = promisify(execFile);

it('the short form of fuzz finds nothing', async () => {
  // It fails by its exit code, and what it printed is in the error.
  const { stdout } = await run(process.execPath, ['fuzz/run.mjs', '--seconds', '4', '--seed', '1'], {
    cwd: ROOT,
  });
  expect(stdout).toMatch(/^fuzz 1: held$/m);
}, 180_000);
