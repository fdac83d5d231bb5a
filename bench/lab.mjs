// The processes of one run: the light engine, and each peer before its ports.
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LAB, Missing } from './native.mjs';
import { Pinned, processTree, residentMiB } from './processes.mjs';

const ENGINE_PORT = 21_101;
const PEER_PORT = 21_201;
const READY_MS = 45_000;

const HELLO = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }], stream: false });

async function isFree(port) {
  const server = createServer();
  const free = await new Promise((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
  await new Promise((resolve) => server.close(resolve));
  return free;
}

async function answersChat(url) {
  try {
    const headers = {
      'content-type': 'application/json',
      connection: 'close',
      authorization: 'Bearer sk-bench',
    };
    const signal = AbortSignal.timeout(5000);
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: HELLO,
      signal,
    });
    return (await response.text()).includes('chatcmpl') && response.ok;
  } catch {
    return false;
  }
}

/** The engines and peers that run now. */
export class Lab {
  #programs;
  #cores;
  #engine;
  /** Peers that answer, by name: `{ process, port, url, startMs, idleMiB }`. */
  live = new Map();
  /** Why a peer is not there, by name. */
  absent = new Map();

  constructor(programs, { cores, engineCount }) {
    this.#programs = programs;
    this.#cores = cores;
    this.engines = Array.from({ length: engineCount }, (_, i) => `http://127.0.0.1:${ENGINE_PORT + i}`);
  }

  get enginePid() {
    return this.#engine.pid;
  }

  /** Starts the light engine; throws Missing when a port is taken. */
  async startEngines() {
    for (const url of this.engines) {
      if (!(await isFree(Number(new URL(url).port))))
        throw new Missing(`${url} must be free, and another process listens there`);
    }
    const argv = [this.#programs.engine, String(ENGINE_PORT), String(this.engines.length)];
    this.#engine = new Pinned(argv, { core: this.#cores.load, log: join(LAB, 'log', 'engine.log') });
    while (!(await answersChat(this.engines[0]))) {
      if (this.#engine.ended !== null) throw new Error(`the light engine ended: ${this.#engine.tail}`);
      await sleep(20);
    }
  }

  /** Starts one peer and waits until it answers; what went wrong is in `absent`. */
  async startPeer(peer, index, { nodeArgs } = {}) {
    if (peer.program === undefined) {
      this.absent.set(peer.name, peer.ours ? 'not built' : 'not installed');
      return;
    }
    const port = PEER_PORT + 2 * index;
    if (!(await isFree(port)))
      throw new Missing(`port ${port} must be free, and another process listens there`);
    const id = peer.name.replaceAll(/[^\w.-]+/g, '-');
    const folder = join(LAB, 'run', id);
    mkdirSync(folder, { recursive: true });
    const place = { port, sparePort: port + 1, folder, engines: this.engines };
    const { argv, env, cwd = folder } = peer.start(peer.program, place, nodeArgs);
    const began = performance.now();
    const process_ = new Pinned(argv, {
      core: this.#cores.peers,
      env,
      cwd,
      log: join(LAB, 'log', `${id}.log`),
    });
    const url = `http://127.0.0.1:${port}`;
    while (!(await answersChat(url))) {
      const late = performance.now() - began > READY_MS;
      if (process_.ended !== null || late) {
        this.absent.set(
          peer.name,
          `${late ? 'not ready in time' : `ended (${process_.ended})`}: ${process_.tail}`,
        );
        await process_.stop();
        return;
      }
      await sleep(20);
    }
    const startMs = performance.now() - began;
    await sleep(500);
    this.live.set(peer.name, {
      peer,
      process: process_,
      port,
      url,
      startMs,
      idleMiB: residentMiB(process_.pid),
    });
  }

  /** A peer as load.c takes it, or the first engine for "direct"; `id` stands for the name. */
  target(name, id, most = 0) {
    const one = this.live.get(name);
    const port = one?.port ?? ENGINE_PORT;
    const pids = processTree(one?.process.pid ?? this.enginePid);
    return `${id}:${port}:${pids.join(',')}${most > 0 ? `:${most}` : ''}`;
  }

  /** Runs the load program; hands over each line that it prints, parsed. */
  async load(args, onLine) {
    const read = (line) => onLine(JSON.parse(line));
    const argv = [this.#programs.load, ...args.map(String)];
    const process_ = new Pinned(argv, { core: this.#cores.load, onLine: read });
    const code = await process_.exit;
    if (code !== 0) throw new Error(`the load program ended with ${code}`);
  }

  async stop() {
    await Promise.all([...this.live.values()].map((one) => one.process.stop()));
    await this.#engine?.stop();
  }
}
