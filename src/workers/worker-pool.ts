import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { Injectable, Logger } from '@nestjs/common';
import { SettingsError } from '../config/settings-error.js';
import { SettingsStore } from '../config/settings-store.js';
import { START_FLAGS } from '../v8-flags.js';
import type { WorkerCounts } from '../operations/workers-report.js';
import type { Beginning, PrimaryMessage, WorkerMessage } from './messages.js';
import { RestartBackoff } from './restart-backoff.js';

const WORKER = fileURLToPath(new URL('./worker.main.js', import.meta.url));

/** What the pool asks of, and tells, those who work with the workers. */
export interface PoolOwner {
  /** What a worker that is there now begins with. */
  beginning(number: number): Beginning;
  /** A worker has begun: from here on it can be sent to. */
  joined(number: number): void;
  /** A worker has told something. */
  heard(number: number, message: WorkerMessage): void;
  /** A worker is gone. */
  left(number: number): void;
}

/** One of the workers, and those that come after it under its number. */
interface Slot {
  readonly number: number;
  readonly backoff: RestartBackoff;
  worker: Worker | null;
  startedAt: number;
  begun: boolean;
  listening: boolean;
  timer: NodeJS.Timeout | null;
}

/**
 * Starts the workers, starts another one in place of each that ends, and stops them all. Connections go
 * to the workers in turn. Bounded by `--workers`.
 */
@Injectable()
export class WorkerPool {
  readonly #log = new Logger('Workers');
  readonly #slots: readonly Slot[];
  readonly #count: number;
  #owner: PoolOwner | null = null;
  #restarts = 0;
  #stopping = false;
  #ended = (): void => {};
  #started: { readonly resolve: () => void; readonly reject: (error: Error) => void } | null = null;

  constructor(settings: SettingsStore) {
    this.#count = settings.current.workers;
    this.#slots = Array.from({ length: this.#count }, (_, at) => ({
      number: at + 1,
      backoff: new RestartBackoff(),
      worker: null,
      startedAt: 0,
      begun: false,
      listening: false,
      timer: null,
    }));
  }

  get counts(): WorkerCounts {
    return { configured: this.#count, running: this.serving.length, restarts: this.#restarts };
  }

  /** Numbers of the workers that can be sent to. */
  get members(): readonly number[] {
    return this.#slots.filter(({ begun }) => begun).map(({ number }) => number);
  }

  /** Numbers of the workers that serve. */
  get serving(): readonly number[] {
    return this.#slots.filter(({ listening }) => listening).map(({ number }) => number);
  }

  /**
   * Starts all workers; resolves when all of them serve.
   * @throws {SettingsError} when a worker cannot work with the settings
   * @throws {Error} when a worker cannot start for another reason
   */
  async start(owner: PoolOwner): Promise<void> {
    this.#owner = owner;
    // Of the system's ways to share a port, some give one process nearly all of the connections.
    cluster.schedulingPolicy = cluster.SCHED_RR;
    cluster.setupPrimary({
      exec: WORKER,
      args: [],
      execArgv: [...process.execArgv, ...START_FLAGS],
      serialization: 'advanced',
    });
    const started = new Promise<void>((resolve, reject) => (this.#started = { resolve, reject }));
    for (const slot of this.#slots) this.#fork(slot);
    await started;
    this.#started = null;
  }

  /** `sent` is called once the message has left, or cannot leave. */
  send(number: number, message: PrimaryMessage, sent: () => void = () => {}): void {
    const worker = this.#slots[number - 1]?.worker;
    if (!worker?.isConnected()) return void setImmediate(sent);
    // A worker that dies while it is written to is seen by its `exit`.
    worker.send(message, undefined, () => sent());
  }

  broadcast(message: PrimaryMessage): void {
    for (const number of this.members) this.send(number, message);
  }

  /** Tells all workers to go down; resolves when they are gone. Called again with `hurry`, it hurries them. */
  async shutDown(hurry: boolean): Promise<void> {
    this.#stopping = true;
    for (const slot of this.#slots) {
      if (slot.timer !== null) clearTimeout(slot.timer);
      if (slot.begun) this.send(slot.number, { type: 'shutDown', hurry });
      else slot.worker?.process.kill('SIGKILL');
    }
    if (this.#slots.every(({ worker }) => worker === null)) return;
    const before = this.#ended;
    await new Promise<void>((resolve) => {
      this.#ended = () => {
        before();
        resolve();
      };
    });
  }

  /** Ends all workers at once. */
  kill(): void {
    this.#stopping = true;
    for (const { worker, timer } of this.#slots) {
      if (timer !== null) clearTimeout(timer);
      worker?.process.kill('SIGKILL');
    }
  }

  #fork(slot: Slot): void {
    slot.timer = null;
    if (this.#stopping) return;
    const worker = cluster.fork();
    slot.worker = worker;
    slot.startedAt = performance.now();
    worker.on('message', (message: WorkerMessage) => this.#hear(slot, worker, message));
    worker.on('exit', (code: number | null, signal: string | null) => this.#exited(slot, signal ?? code));
    // A message that cannot be written; `exit` follows.
    worker.on('error', (error) => this.#log.debug(`worker ${slot.number}: ${error.message}`));
  }

  #hear(slot: Slot, worker: Worker, message: WorkerMessage): void {
    if (slot.worker !== worker) return;
    if (message.type === 'up') {
      const beginning = this.#owner?.beginning(slot.number);
      if (!beginning) return;
      this.send(slot.number, { type: 'begin', beginning });
      slot.begun = true;
      this.#owner?.joined(slot.number);
    } else if (message.type === 'listening') {
      slot.listening = true;
      if (this.#slots.every(({ listening }) => listening)) this.#started?.resolve();
    } else if (message.type === 'refused') {
      const text = message.problems.join('; ');
      this.#log.error(`worker ${slot.number} cannot start: ${text}`);
      this.#started?.reject(message.settings ? new SettingsError(message.problems) : new Error(text));
    } else this.#owner?.heard(slot.number, message);
  }

  #exited(slot: Slot, how: number | string | null): void {
    const lived = performance.now() - slot.startedAt;
    const { begun } = slot;
    slot.worker = null;
    slot.begun = slot.listening = false;
    if (begun) this.#owner?.left(slot.number);
    if (this.#stopping) {
      if (this.#slots.every(({ worker }) => worker === null)) this.#ended();
      return;
    }
    const wait = slot.backoff.next(lived);
    this.#restarts++;
    this.#log.error(
      `worker ${slot.number} ended with ${how}; its streams are cut, another one starts ${wait === 0 ? 'now' : `in ${wait / 1_000} s`}`,
    );
    slot.timer = setTimeout(() => this.#fork(slot), wait);
  }
}
