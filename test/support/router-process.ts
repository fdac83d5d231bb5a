import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type BackedEngine, flagsFor } from './start-router.js';
import { until } from './until.js';

/** A router that runs as users run it: the built program in a process of its own. */
export interface RouterProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it has written so far. */
  readonly output: readonly string[];
  /** Resolves with its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Ends it, where the test has not. */
  kill(): Promise<void>;
}

const MAIN = join(__dirname, '../../dist/main.js');

/** Runs `dist/main.js`, which `npm test` builds first; resolves once it knows its engines. */
export async function startRouterProcess(
  engines: readonly BackedEngine[],
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<RouterProcess> {
  const args = [MAIN, ...flagsFor(engines, ['--log-level', 'info', '--log-format', 'json', ...flags])];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], ...env },
  });
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  const output: string[] = [];
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        output.push(line);
        const port = /listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
      });
    }
    void ended.then((code) => reject(new Error(`the router ended with ${code}: ${output.join('\n')}`)));
  });
  await until(async () => (await fetch(`${url}/ready`)).ok);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  return { url, child, output, ended, kill };
}
