import { setTimeout as pause } from 'node:timers/promises';
import type { Server } from 'node:http';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { SettingsStore } from '../config/settings-store.js';
import { shuttingDown } from '../core/errors.js';
import { AdmissionService } from '../proxy/admission/admission.service.js';
import { DrainState } from '../proxy/drain-state.js';
import { RealtimeGateway } from '../proxy/realtime.gateway.js';
import { SilenceWatch } from '../proxy/silence-watch.js';

const POLL_MS = 50;
/** How long the last bytes of answers may take to reach their clients. */
const WRITING_SECONDS = 2;

/**
 * The way down: unready at once, so that load balancers look elsewhere; then no new connections and
 * requests; what is under way ends by itself within the time given, or in an error event.
 */
@Injectable()
export class DrainService implements BeforeApplicationShutdown {
  readonly #log = new Logger(DrainService.name);
  #hurried = false;

  constructor(
    private readonly state: DrainState,
    private readonly watch: SilenceWatch,
    private readonly realtime: RealtimeGateway,
    private readonly settings: SettingsStore,
    private readonly host: HttpAdapterHost,
    private readonly admission: AdmissionService,
  ) {}

  /** In a host application with shutdown hooks, a signal drains the router before the server closes. */
  async beforeApplicationShutdown(signal?: string): Promise<void> {
    if (signal === undefined || this.state.draining) return;
    await this.drain(this.host.httpAdapter.getHttpServer() as Server);
  }

  /** Skips what is left of the waiting: the operator asked twice. */
  hurry(): void {
    this.#hurried = true;
  }

  /** Resolves when nothing is under way any more and `server` has closed. */
  async drain(server: Server): Promise<void> {
    const { shutdownDelay, shutdownTimeout } = this.settings.current;
    this.state.leave();
    const delay = this.#hurried ? 0 : shutdownDelay;
    this.#log.log(`shutting down: unready now, new requests are taken for ${delay} s more`);
    await this.#until(() => false, delay);
    this.state.drain();
    this.admission.empty(shuttingDown());
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const before = this.#underWay;
    if (before > 0) this.#log.log(`${before} requests under way, they have ${shutdownTimeout} s to end`);
    await this.#until(() => {
      // A kept-alive connection that has just gone idle would hold the server open for its whole timeout.
      server.closeIdleConnections();
      return this.#underWay === 0;
    }, shutdownTimeout);
    if (this.#underWay > 0) this.#log.warn(`${this.#underWay} requests did not end in time and are cut off`);
    this.watch.failAll();
    this.realtime.closeAll();
    // The last answers are being written; a client that does not read them must not hold the process.
    let written = false;
    void closed.then(() => (written = true));
    await this.#until(() => {
      server.closeIdleConnections();
      return written;
    }, WRITING_SECONDS);
    server.closeAllConnections();
  }

  get #underWay(): number {
    return this.watch.size + this.realtime.size;
  }

  async #until(done: () => boolean, seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1_000;
    while (!this.#hurried && !done() && performance.now() < end) await pause(POLL_MS);
  }
}
