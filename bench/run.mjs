// npm run bench -- [options]: our router beside direct engines, nginx and the other routers that are installed.
import { spawn, spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { Missing } from './native.mjs';
import { HELP, readOptions } from './options.mjs';

/** Set in the copy of this program that runs in a network of its own. */
const INSIDE = 'BENCH_INSIDE';

/**
 * Runs this program again with as many open files as are allowed, on the load's core, and as root in a network name
 * space of its own, where ports are free and nothing leaves the machine.
 */
async function runInside(args, options) {
  if (spawnSync('taskset', ['--version']).status !== 0)
    throw new Missing('taskset (of util-linux) is needed to give each side its core');
  const { cores } = options;
  // A container may forbid name spaces to root, or have no ip.
  const isolate =
    options.isolate && spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up']).status === 0;
  const script = 'ulimit -n "$(ulimit -Hn)"; [ "$BENCH_INSIDE" = net ] && ip link set lo up; exec "$@"';
  const again = ['sh', '-c', script, 'sh', 'taskset', '-c', String(cores.load), process.execPath];
  const argv = [...(isolate ? ['unshare', '-n'] : []), ...again, fileURLToPath(import.meta.url), ...args];
  const env = { ...process.env, [INSIDE]: isolate ? 'net' : 'plain' };
  const child = spawn(argv[0], argv.slice(1), { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Missing(`${argv[0]} does not run: ${error.message}`)));
    child.once('close', (code) => resolve(code ?? 1));
  });
}

async function main(args) {
  try {
    const options = readOptions(args);
    if (options.help) {
      console.log(HELP);
      return 0;
    }
    const measures = options.from.length === 0;
    if (measures && process.platform !== 'linux')
      throw new Missing('the benchmark reads the counters of Linux');
    if (measures && process.env[INSIDE] === undefined) return await runInside(args, options);
    // However the program outside ends, this one follows it. Only this one starts processes.
    process.once('disconnect', () => process.exit(1));
    const { bench } = await import('./bench.mjs');
    return await bench({ ...options, isolated: process.env[INSIDE] === 'net' });
  } catch (error) {
    console.error(error instanceof Missing ? error.message : error);
    return error instanceof Missing ? 2 : 1;
  }
}

process.exit(await main(process.argv.slice(2)));
