// Two real vLLM engines on CPU, by the up.sh and down.sh of a folder given in the environment.
//   VLLM_CPU_DIR   folder with setup.sh, up.sh and down.sh
//   LAB            what setup.sh made: venv and models; default ~/.cache/vllm-router-lab
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { Missing } from './figures.mjs';
import { atEnd, run } from './processes.mjs';

/** Names of the engines and their ports. */
const PORTS = { a: 8101, b: 8102 };

/** The engines; throws Missing when a part is not there. */
export class VllmEngines {
  #folder = process.env.VLLM_CPU_DIR;
  #lab = process.env.LAB ?? join(homedir(), '.cache', 'vllm-router-lab');

  constructor() {
    if (!this.#folder)
      throw new Missing('VLLM_CPU_DIR: give the folder that holds setup.sh, up.sh and down.sh');
    for (const script of ['setup.sh', 'up.sh', 'down.sh']) {
      if (!existsSync(join(this.#folder, script))) {
        throw new Missing(`VLLM_CPU_DIR=${this.#folder} holds no ${script}`);
      }
    }
    if (!existsSync(join(this.#lab, 'venv', 'bin', 'vllm'))) {
      throw new Missing(
        `LAB=${this.#lab} holds no venv with vLLM; run ${join(this.#folder, 'setup.sh')} first`,
      );
    }
    for (const name of Object.keys(PORTS)) {
      if (this.#runs(name))
        throw new Missing(`engine ${name} of LAB=${this.#lab} runs already; end it with down.sh`);
    }
    const { status } = spawnSync(this.python, ['-c', 'import openai'], { stdio: 'ignore' });
    if (status !== 0) throw new Missing(`${this.python} has no package openai`);
  }

  #runs(name) {
    try {
      process.kill(Number(readFileSync(join(this.#lab, `${name}.pid`), 'utf8')), 0);
      return true;
    } catch {
      return false;
    }
  }

  get python() {
    return join(this.#lab, 'venv', 'bin', 'python');
  }

  get urls() {
    return Object.values(PORTS).map((port) => `http://127.0.0.1:${port}`);
  }

  url(name) {
    return `http://127.0.0.1:${PORTS[name]}`;
  }

  /** Starts both engines, or the one that is named, and waits until they answer; they end with the show. */
  async up(only) {
    atEnd(() => this.down());
    const env = { ...process.env, LAB: this.#lab, PROFILE: 'plain', A_NAMES: 'tiny', B_NAMES: 'tiny' };
    if (only !== undefined) env.ONLY = only;
    const { code, output } = await run('bash', [join(this.#folder, 'up.sh')], { env });
    if (code !== 0) throw new Error(`the vLLM engines did not start:\n${output.slice(-1500)}`);
  }

  /** Ends the engines, also what a SIGKILL left of one. */
  down(...names) {
    const env = { ...process.env, LAB: this.#lab };
    spawnSync('bash', [join(this.#folder, 'down.sh'), ...names], { env, stdio: 'ignore' });
  }

  /** Sends a signal to the API server of an engine, or with `group` to all its processes. */
  signal(name, signal, group = false) {
    const pid = Number(readFileSync(join(this.#lab, `${name}.pid`), 'utf8'));
    process.kill(group ? -pid : pid, signal);
  }
}
