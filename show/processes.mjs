// Starts the processes of a show, waits until they are ready and ends them by their pid, however the show ends.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Missing } from './figures.mjs';

/** The project's folder. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

const READY_MS = 30_000;
const KEPT_OUTPUT = 64 * 1024;

const running = new Set();
const cleanups = [];

/** Runs `cleanup` (synchronous) when the show ends, by a signal too; the last one given runs first. */
export function atEnd(cleanup) {
  cleanups.push(cleanup);
}

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.on(signal, () => process.exit(code));
}

/** A process that a show started. */
export class Running {
  #child;
  /** The end of what it wrote, both streams together. */
  output = '';
  /** Exit code or name of the signal, once it has ended. */
  ended = null;

  constructor(command, args, { env = process.env, cwd = ROOT } = {}) {
    this.#child = spawn(command, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this.#child);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        this.output = (this.output + text).slice(-KEPT_OUTPUT);
      });
    }
    this.exit = new Promise((resolve) => {
      const over = (how) => {
        running.delete(this.#child);
        this.ended ??= how;
        resolve(this.ended);
      };
      this.#child.once('error', (error) => over(error.message));
      this.#child.once('close', (code, signal) => over(code ?? signal));
    });
  }

  get pid() {
    return this.#child.pid;
  }

  kill(signal = 'SIGKILL') {
    this.#child.kill(signal);
  }

  /** Ends it and waits until it is gone. */
  async stop() {
    this.kill();
    await this.exit;
  }

  /** Waits for its output to match; throws when it ends first or takes too long. */
  async says(pattern, limitMs = READY_MS) {
    const end = performance.now() + limitMs;
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (this.ended !== null || performance.now() > end) {
        const what = this.ended === null ? `not ready after ${limitMs / 1000} s` : `ended (${this.ended})`;
        throw new Error(`a process of the show ${what}:\n${this.output.slice(-2000)}`);
      }
      await sleep(20);
    }
  }

  /** Peak resident memory in MiB and processor time in seconds so far. Linux only, else null. */
  usage() {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
      const fields = readFileSync(`/proc/${this.pid}/stat`, 'utf8').split(') ')[1].split(' ');
      const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
      return { peakMiB: Math.round(peak), cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100 };
    } catch {
      return null;
    }
  }
}

/** Runs a command to its end; resolves with its exit code and output. */
export async function run(command, args, options = {}) {
  const process_ = new Running(command, args, options);
  const code = await process_.exit;
  return { code, output: process_.output };
}

/** The environment of a user at a prompt: nothing of the npm around this show, no setting of a router. */
export function freshEnv() {
  const inherited =
    /^(npm_(lifecycle|package|command|execpath|node_execpath)|npm_config_(local_|global_)?prefix$|npm_config_global$|INIT_CWD$|VLLM_)/i;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !inherited.test(name)));
}

/** Starts dist's router on a free port of 127.0.0.1 and waits until /ready says so. */
export async function startRouter(args, { env = process.env, nodeArgs = [] } = {}) {
  const argv = [...nodeArgs, join(ROOT, 'dist', 'main.js'), '--host', '127.0.0.1', '--port', '0', ...args];
  const router = new Running(process.execPath, argv, { env });
  const [, address] = await router.says(/listening on (?:http:\/\/)?([\d.]+:\d+)/);
  router.url = `http://${address}`;
  await untilReady(router.url);
  return router;
}

/** Flags of a router before engines at these URLs that all serve `model`. */
export const staticFleet = (urls, model) => [
  ...['--service-discovery', 'static', '--static-backends', urls.join(',')],
  ...['--static-models', urls.map(() => model).join(',')],
];

/** Waits until the router at `url` answers /ready with 200. */
export async function untilReady(url, limitMs = READY_MS) {
  await until(`${url}/ready is 200`, async () => (await fetch(`${url}/ready`)).ok, limitMs);
}

/** Asks `holds` every 50 ms until it is true; throws with `what` after `limitMs`. An error counts as no. */
export async function until(what, holds, limitMs = READY_MS) {
  const end = performance.now() + limitMs;
  while (!(await Promise.resolve(holds()).catch(() => false))) {
    if (performance.now() > end) throw new Error(`waited ${limitMs / 1000} s in vain: ${what}`);
    await sleep(50);
  }
}

/** Starts a simulated engine as a process; flags as in `vllm-router engine`, whose steps cost nothing unless told. */
export async function startSimulatedEngine(args = []) {
  const main = join(ROOT, 'dist', 'main.js');
  return startEngine([main, 'engine', '--port', '0', '--profile', 'instant', ...args]);
}

/** Starts the light engine as a process; flags as in light-engine.mjs. */
export async function startLightEngine(args = []) {
  return startEngine([join(ROOT, 'show', 'light-engine.mjs'), ...args]);
}

async function startEngine(argv) {
  const engine = new Running(process.execPath, argv);
  const [, url] = await engine.says(/"url":"([^"]+)"/);
  engine.url = url;
  return engine;
}

/** Throws Missing unless these ports are free on all addresses. */
export async function needFreePorts(ports) {
  for (const port of ports) {
    for (const host of ['127.0.0.1', '0.0.0.0']) {
      const server = createServer();
      const free = await new Promise((resolve) => {
        server.once('error', () => resolve(false)).listen(port, host, () => resolve(true));
      });
      await new Promise((resolve) => server.close(resolve));
      if (!free) throw new Missing(`port ${port} must be free, and another process listens there`);
    }
  }
}
