// A simulated engine as a process that faults are brought upon, and the record of when it was good.
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import process from 'node:process';
import { ROOT, Running, until } from '../show/processes.mjs';

const CONTROL_MS = 2_000;

/** A busy machine takes long to start a process. */
const SLOW_START_MS = 120_000;

/** Spans of time in which something was so; times of `performance.now()`. */
export class Spans {
  #spans = [];

  begin() {
    if (this.#spans.at(-1)?.to !== Infinity) this.#spans.push({ from: performance.now(), to: Infinity });
  }

  end() {
    const last = this.#spans.at(-1);
    if (last?.to === Infinity) last.to = performance.now();
  }

  get open() {
    return this.#spans.at(-1)?.to === Infinity;
  }

  /** Whether it was so at any moment from `from` to `to`. */
  touches(from, to) {
    return this.#spans.some((span) => span.from <= to && span.to >= from);
  }
}

export class ChaosEngine {
  /** Something was or may have been wrong with it. */
  faulty = new Spans();
  /** It was not, or may not have been, in the fleet. */
  absent = new Spans();
  process = null;
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  /** @param {{ index: number, port: number, models: string[], flags?: string[] }} wish */
  constructor({ index, port, models, flags = [] }) {
    this.index = index;
    this.port = port;
    this.models = models;
    this.flags = flags;
    this.url = `http://127.0.0.1:${port}`;
  }

  async start() {
    const argv = [join(ROOT, 'dist', 'main.js'), 'engine', '--port', String(this.port), '--server-dev-mode'];
    this.process = new Running(process.execPath, [...argv, '--model', this.models.join(','), ...this.flags]);
    await this.process.says(/"url":"([^"]+)"/, SLOW_START_MS);
  }

  /** Good from `from` to `to` as far as a client could be served: nothing wrong with it, and in the fleet. */
  good(from, to) {
    return !this.faulty.touches(from, to) && !this.absent.touches(from, to);
  }

  async begin({ signal, control, call }) {
    this.faulty.begin();
    if (signal !== undefined) this.process.kill(signal);
    else if (control !== undefined) await this.#ask('POST', '/sim/fault', JSON.stringify(control));
    else await this.#ask('POST', call).catch(() => undefined);
  }

  /** Takes the fault back, and starts the engine anew when it has to be or does not answer any more. */
  async lift({ lift, restart, control, back }) {
    try {
      if (lift !== undefined) this.process.kill(lift);
      if (restart !== true && control !== undefined) await this.#ask('DELETE', '/sim/fault');
      if (back !== undefined) await this.#ask('POST', back);
      if (restart === true || this.process.ended !== null) await this.#restart();
      await this.#healthy();
    } catch {
      await this.#restart();
      await this.#healthy();
    }
    this.faulty.end();
  }

  async stats() {
    return JSON.parse(await this.#ask('GET', '/sim/stats'));
  }

  async stop() {
    this.#agent.destroy();
    await this.process?.stop();
  }

  async #restart() {
    this.#agent.destroy();
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await this.process.stop();
    await this.start();
  }

  /** On a connection of its own, as the router's would be. */
  async #healthy() {
    await until(`engine ${this.index} answers`, async () => (await fetch(`${this.url}/health`)).ok, 10_000);
  }

  /** The one connection stays open, so that it works where new ones are refused. */
  async #ask(method, path, body) {
    return new Promise((resolve, reject) => {
      const asked = request(
        `${this.url}${path}`,
        { method, agent: this.#agent, timeout: CONTROL_MS },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (part) => (text += part));
          answer.on('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(text))));
          answer.on('error', reject);
        },
      );
      asked.on('timeout', () => asked.destroy(new Error(`${path} took too long`)));
      asked.on('error', reject);
      asked.end(body);
    });
  }
}
