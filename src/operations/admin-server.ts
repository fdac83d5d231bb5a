import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type BeforeApplicationShutdown,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { reasonOf, SettingsError } from '../config/settings-error.js';
import { SettingsStore } from '../config/settings-store.js';
import { markAdminPort } from '../security/principal.js';

/** What an operator asks has no body: nobody needs longer for a request, milliseconds. */
const REQUEST_MS = 10_000;
const HEAD_CHECK_MS = 1_000;
/** Operators and their scrapers; further connections are closed at once. */
const MOST_CONNECTIONS = 100;

/**
 * `--admin-port`: a second server, of plain HTTP, for the routes that tell of the inside and for the probes. Requests
 * go through the same application as all others; where they came in is marked on them. With `--workers` every worker
 * listens, as on the main port, and answers for all.
 */
@Injectable()
export class AdminServer implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #log = new Logger('vllm-router');
  #server: Server | null = null;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly settings: SettingsStore,
  ) {}

  /** The port it listens on; null without `--admin-port`. */
  get port(): number | null {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    return address?.port ?? null;
  }

  /** @throws {SettingsError} when nobody can listen there */
  async onApplicationBootstrap(): Promise<void> {
    const { adminPort, adminHost, maxHeaderSize } = this.settings.current;
    if (adminPort === null || this.host.httpAdapter?.getType() !== 'fastify') return;
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    const limits = {
      maxHeaderSize,
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: HEAD_CHECK_MS,
    };
    const server = createServer(limits, (request, response) => {
      markAdminPort(request);
      fastify.routing(request, response);
    });
    server.maxConnections = MOST_CONNECTIONS;
    this.#server = server;
    server.listen({ port: adminPort, host: adminHost });
    try {
      await once(server, 'listening');
    } catch (error) {
      throw new SettingsError([`--admin-port ${adminPort} at --admin-host ${adminHost}: ${reasonOf(error)}`]);
    }
    this.#log.log(`admin routes on ${adminHost}:${this.port}`);
  }

  /** A server that has begun to close answers no further probes: it goes with the application, not before. */
  beforeApplicationShutdown(): void {
    this.#server?.closeIdleConnections();
  }

  async onApplicationShutdown(): Promise<void> {
    const server = this.#server;
    if (server === null || !server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
}
