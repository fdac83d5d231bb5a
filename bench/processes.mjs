// Starts the benchmark's processes on their cores, reads what the kernel says of them, and ends them on every way out.
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const STOP_MS = 1_500;
const running = new Set();

process.on('exit', () => {
  for (const one of running) one.killTree();
});
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
]) {
  process.on(signal, () => process.exit(code));
}

/** `pid` and all processes that descend from it. */
export function processTree(pid) {
  const pids = [pid];
  try {
    for (const task of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim();
      if (children !== '') pids.push(...children.split(' ').flatMap((child) => processTree(Number(child))));
    }
  } catch {
    // A process that has ended since has no descendants.
  }
  return pids;
}

/** Resident memory in MiB of `pid` and its descendants; pages that they share count in each. */
export function residentMiB(pid) {
  let kib = 0;
  for (const one of processTree(pid)) {
    try {
      kib += Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${one}/status`, 'utf8'))?.[1] ?? 0);
    } catch {
      // It has ended since.
    }
  }
  return kib / 1024;
}

/** A process on one core. Its output goes to the file `log`, or is handed over line by line to `onLine`. */
export class Pinned {
  #child;
  /** Exit code or signal, once it has ended. */
  ended = null;

  constructor(argv, { core, env = {}, cwd, log, onLine }) {
    let file = 'inherit';
    if (log !== undefined) {
      mkdirSync(dirname(log), { recursive: true });
      file = openSync(log, 'w');
    }
    this.log = log;
    this.#child = spawn('taskset', ['-c', String(core), ...argv], {
      env: { ...process.env, ...env },
      cwd,
      stdio: ['ignore', onLine === undefined ? file : 'pipe', file],
    });
    if (log !== undefined) closeSync(file);
    running.add(this);
    if (onLine !== undefined) this.#readLines(onLine);
    this.exit = new Promise((resolve) => {
      const over = (how) => {
        running.delete(this);
        this.ended ??= how;
        resolve(this.ended);
      };
      this.#child.once('error', (error) => over(error.message));
      this.#child.once('close', (code, signal) => over(code ?? signal));
    });
  }

  #readLines(onLine) {
    let rest = '';
    this.#child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) onLine(line);
    });
  }

  get pid() {
    return this.#child.pid;
  }

  /** The end of its log. */
  get tail() {
    return this.log === undefined ? '' : readFileSync(this.log, 'utf8').slice(-600).trim();
  }

  killTree() {
    if (this.pid === undefined) return;
    for (const pid of processTree(this.pid)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended since.
      }
    }
  }

  /** Asks it to end, then ends it and all that it started. */
  async stop({ patienceMs = STOP_MS } = {}) {
    if (this.ended !== null) return;
    const pids = processTree(this.pid);
    this.#child.kill('SIGTERM');
    await Promise.race([this.exit, sleep(patienceMs, undefined, { ref: false })]);
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended, as it should.
      }
    }
    await this.exit;
  }
}
