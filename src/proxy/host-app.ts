import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { SettingsStore } from '../config/settings-store.js';
import { BodyIntake } from './body-intake.js';
import { takeBodies } from './body-parser.js';

/** Largest body with what an operator tells the router to do. */
const ACTION_BYTES = 16 * 1024;

type Bodies = 'untouched' | 'raw' | 'parsed';

/**
 * Fits the router into the Nest application that it runs in, ours or somebody else's: its bodies must
 * reach engines byte for byte, so the application must not parse them away.
 */
@Injectable()
export class HostApp implements OnModuleInit {
  #bodies: Bodies = 'untouched';

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly settings: SettingsStore,
    private readonly intake: BodyIntake,
  ) {
    // The server comes before the providers with NestFactory, after them with Nest's testing module.
    host.init$.subscribe(() => {
      if (host.httpAdapter.getType() === 'fastify') this.#fit(host.httpAdapter as unknown as FastifyAdapter);
    });
  }

  /** @throws {Error} one sentence when the application cannot carry the router */
  onModuleInit(): void {
    const type = this.host.httpAdapter?.getType() ?? '';
    if (type !== 'fastify' && type !== '') {
      throw new Error('vllm-router runs on Fastify alone: create the application with a FastifyAdapter.');
    }
    if (this.#bodies !== 'parsed') return;
    throw new Error(
      'vllm-router needs the bytes of request bodies: create the application with { bodyParser: false } or { rawBody: true }.',
    );
  }

  #fit(adapter: FastifyAdapter): void {
    const fastify: FastifyInstance = adapter.getInstance();
    this.#seeParsers(adapter, fastify);
    fastify.addHook('onRoute', (route) => {
      if (route.config?.vllmRouterRelayed === true) route.bodyLimit = this.settings.current.maxBodySize;
      if (route.config?.vllmRouterAccess === 'action') route.bodyLimit = ACTION_BYTES;
    });
    takeBodies(fastify, this.intake);
    fastify.server.on('checkContinue', (request, response) => {
      this.intake.continueLater(request, response);
      fastify.server.emit('request', request, response);
    });
  }

  /** Nest registers its parsers after the providers are made, and tells nobody how. */
  #seeParsers(adapter: FastifyAdapter, fastify: FastifyInstance): void {
    const register = adapter.registerParserMiddleware.bind(adapter);
    adapter.registerParserMiddleware = (prefix?: string, rawBody?: boolean) => {
      this.#bodies = rawBody === true ? 'raw' : 'parsed';
      fastify.removeContentTypeParser('application/json');
      register(prefix, rawBody);
    };
  }
}
