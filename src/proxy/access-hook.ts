import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { isClosing } from './closing-connections.js';
import { HeadCheck } from './head-check.js';
import { ProxyService } from './proxy.service.js';

/** Refuses by the head what comes in by Fastify's routes, before anything of a body is read. */
@Injectable()
export class AccessHook {
  constructor(host: HttpAdapterHost, heads: HeadCheck, proxy: ProxyService) {
    // The server comes before the providers with NestFactory, after them with Nest's testing module.
    host.init$.subscribe(() => {
      if (host.httpAdapter.getType() !== 'fastify') return;
      const fastify = host.httpAdapter.getInstance<FastifyInstance>();
      fastify.addHook('onRequest', (request, reply, done) => {
        if (isClosing(request.raw.socket)) return void reply.hijack();
        const refused = heads.refusal(request.raw, request.routeOptions.config?.vllmRouterAccess ?? null);
        if (refused === null) return done();
        reply.hijack();
        proxy.handle(request.raw, reply.raw, refused, 'any');
      });
    });
  }
}
