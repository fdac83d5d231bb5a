import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

/** Seconds within which each client has an end; far above what the show itself asks, since the pace of engines
 *  on CPU is that of the machine, and far below what a client of a silent engine would wait without the router. */
const LIMIT = '60';

/**
 * The whole tier is `npm run show -- A3`, which starts the engines, judges each figure and takes the engines
 * down. What it needs and does not find is in its last line, and so in the failure of this test.
 */
it('keeps its promises before two real vLLM engines', async () => {
  const show = spawn(process.execPath, [join(ROOT, 'show', 'run.mjs'), 'A3', '--limit', LIMIT], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  show.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    process.stdout.write(text);
  });
  await once(show, 'close');
  expect(output.trim().split('\n').at(-1)).toBe('A3: shown');
});
