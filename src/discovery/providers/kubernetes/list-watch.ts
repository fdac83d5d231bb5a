import { performance } from 'node:perf_hooks';
import { field, text } from '../../../core/kubernetes/object-meta.js';
import { type WatchEvent, WatchEventSplitter } from '../../../core/kubernetes/watch-events.js';
import type { Timers } from '../../timers.js';
import { type ApiConnection, ApiFailure, reasonOf } from './api-connection.js';
import type { ListWatchLimits } from './list-watch-limits.js';
import { LinkedAbort } from './linked-abort.js';
import { listPages, pathOf, type ResourceQuery } from './list-pages.js';
import { pause } from './pause.js';

/** The most objects kept of one resource; beyond it, further ones are ignored and the status says so. */
const MAX_OBJECTS = 5_000;

/** The length of a watch, seconds: just under the period of the lists. */
const WATCH_SECONDS = 290;

/** What a list and watch follows and how it reports. */
export interface ListWatchOptions<T extends { readonly uid: string }> {
  readonly resource: ResourceQuery;
  /** Makes what is kept of an object, null when it is none. */
  readonly read: (object: unknown) => T | null;
  readonly connect: () => Promise<ApiConnection>;
  /** Called after `values`, `synced` or `trouble` may have changed. */
  readonly changed: () => void;
  readonly limits: ListWatchLimits;
  readonly timers: Timers;
  /** The wanted length of a watch, seconds; 0: chosen here. */
  readonly watchSeconds: number;
}

/** The watch fell behind what the API server remembers: normal, and cured by a list. */
class WatchExpired extends Error {}

/**
 * Keeps the set of objects of one resource equal to the API server's: list, watch from there, and a
 * new list after every trouble, after an expired version and once per period. What is known stays
 * while the API server cannot be asked.
 */
export class ListWatch<T extends { readonly uid: string }> {
  readonly #stopping = new AbortController();
  #objects = new Map<string, T>();
  #version = '';
  #synced = false;
  #overflow = false;
  #listTrouble: string | null = null;
  #watchTrouble: string | null = null;
  /** Failures one soon after the other. */
  #failures = 0;
  #running: Promise<void> | null = null;

  constructor(private readonly options: ListWatchOptions<T>) {}

  /** Whether a whole list was read once. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Why the set may differ from the API server's, for an operator; null when it is followed. */
  get trouble(): string | null {
    const { what } = this.options.resource;
    const overflow = this.#overflow ? `more than ${MAX_OBJECTS} ${what}; the rest is ignored` : null;
    return this.#listTrouble ?? this.#watchTrouble ?? overflow;
  }

  values(): Iterable<T> {
    return this.#objects.values();
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const began = performance.now();
      const wait = await this.#session().catch((error: unknown) =>
        this.#failed(error, performance.now() - began),
      );
      if (wait > 0) await pause(this.options.timers, wait, this.#stopping.signal);
    }
  }

  /** One connection: list, then watch until the next list is due. Returns the pause until the next. */
  async #session(): Promise<number> {
    const { signal } = this.#stopping;
    let connection: ApiConnection | null = null;
    try {
      try {
        connection = await this.options.connect();
        await this.#reconcile(connection, signal);
      } catch (error) {
        if (!signal.aborted)
          this.#listTrouble = `cannot list ${this.options.resource.what}: ${reasonOf(error)}`;
        throw error;
      }
      await this.#follow(connection, signal);
      this.#failures = 0;
      return 0;
    } finally {
      connection?.close();
    }
  }

  async #reconcile(connection: ApiConnection, signal: AbortSignal): Promise<void> {
    const objects = new Map<string, T>();
    let overflow = false;
    const version = await listPages(connection, this.options.resource, signal, (object) => {
      const value = this.options.read(object);
      if (!value) return;
      if (objects.size < MAX_OBJECTS) objects.set(value.uid, value);
      else overflow = true;
    });
    this.#objects = objects;
    this.#overflow = overflow;
    this.#version = version;
    this.#synced = true;
    this.#listTrouble = null;
    this.options.changed();
  }

  async #follow(connection: ApiConnection, stopping: AbortSignal): Promise<void> {
    const due = new LinkedAbort(stopping);
    const ended = new LinkedAbort(stopping);
    const probing = this.#probeList(due, ended.signal);
    try {
      while (!due.signal.aborted) await this.#watch(connection, due.signal);
    } catch (error) {
      if (!due.signal.aborted) throw error;
    } finally {
      ended.abort();
      await probing;
      due.release();
      ended.release();
    }
  }

  /**
   * Waits until the periodic list is due, then makes sure that lists are answered at all before it
   * ends the watch: where they are denied, the open watch is the only thing that still follows.
   */
  async #probeList(due: LinkedAbort, ended: AbortSignal): Promise<void> {
    const { limits, timers } = this.options;
    // Replicas that started together drift apart.
    await pause(timers, limits.resyncMs * (0.9 + 0.2 * timers.random()), ended);
    while (!ended.aborted) {
      let connection: ApiConnection | null = null;
      try {
        connection = await this.options.connect();
        await connection.get(pathOf(this.options.resource, { limit: '1' }), ended);
        due.abort();
        return;
      } catch (error) {
        if (ended.aborted) return;
        this.#listTrouble = `cannot list ${this.options.resource.what}: ${reasonOf(error)}`;
        this.options.changed();
      } finally {
        connection?.close();
      }
      await pause(timers, limits.retryMs, ended);
    }
  }

  async #watch(connection: ApiConnection, signal: AbortSignal): Promise<void> {
    const { resource, limits, watchSeconds } = this.options;
    const path = pathOf(resource, {
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion: this.#version,
      timeoutSeconds: String(Math.ceil(watchSeconds || WATCH_SECONDS)),
    });
    const splitter = new WatchEventSplitter();
    const began = performance.now();
    let accepted = false;
    try {
      const chunks = connection.watch(path, {
        signal,
        accepted: () => {
          accepted = true;
          // A watch that keeps dying young is accepted each time, too.
          if (this.#failures < 3) this.#watchWorks();
        },
      });
      for await (const chunk of chunks) {
        this.#watchWorks();
        this.#apply(splitter.push(chunk));
      }
      if (performance.now() - began < limits.shortWatchMs) throw new Error('the watch ended at once');
    } catch (error) {
      if (signal.aborted || error instanceof WatchExpired) throw error;
      const denied = error instanceof ApiFailure && error.status === 403;
      if (!accepted || this.#failures >= 3) {
        this.#watchTrouble = `cannot watch ${resource.what}${denied ? ', listing every 2 s instead' : ''}: ${reasonOf(error)}`;
      }
      throw error;
    }
  }

  #watchWorks(): void {
    if (this.#watchTrouble === null) return;
    this.#watchTrouble = null;
    this.options.changed();
  }

  #apply(events: readonly WatchEvent[]): void {
    let altered = false;
    try {
      for (const event of events) {
        if (event.type === 'ERROR') {
          if (event.code === 410) throw new WatchExpired(event.message);
          throw new ApiFailure(event.code, event.message);
        }
        const version = text(field(event.object, 'metadata'), 'resourceVersion');
        if (version !== '' && version.length <= 64) this.#version = version;
        if (event.type === 'BOOKMARK') continue;
        const value = this.options.read(event.object);
        if (!value) continue;
        altered = true;
        if (event.type === 'DELETED') this.#objects.delete(value.uid);
        else if (this.#objects.has(value.uid) || this.#objects.size < MAX_OBJECTS)
          this.#objects.set(value.uid, value);
        else this.#overflow = true;
      }
    } finally {
      if (altered) this.options.changed();
    }
  }

  /** Takes note of the end of a session; returns the pause before the next, milliseconds. */
  #failed(error: unknown, livedMs: number): number {
    if (this.#stopping.signal.aborted) return 0;
    const { limits, timers } = this.options;
    this.options.changed();
    if (error instanceof ApiFailure && error.status === 403) {
      this.#failures = 0;
      return Math.max(0, limits.pollMs - livedMs);
    }
    this.#failures = livedMs > limits.steadyMs ? 1 : this.#failures + 1;
    const backOff = Math.min(limits.retryMs, 50 * 2 ** Math.min(this.#failures, 10));
    const asked = error instanceof ApiFailure ? Math.min(error.retryAfterMs, limits.answerMs) : 0;
    return Math.max(asked, backOff * (0.5 + timers.random() / 2));
  }
}
