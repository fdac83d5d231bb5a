import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { SettingsStore } from '../config/settings-store.js';
import { corsHeaders } from './cors.js';

// What browsers ask for that no engine answers.
const OWN = /^\/(?:v1\/models(?:[/?]|$)|openapi\.json(?:\?|$))/;

/** Gives the lists of models and the document of the API, and their errors, the CORS headers that relayed answers get. */
@Injectable()
export class CorsHook {
  constructor(host: HttpAdapterHost, settings: SettingsStore) {
    // The server comes before the providers with NestFactory, after them with Nest's testing module.
    host.init$.subscribe(() => {
      if (host.httpAdapter.getType() !== 'fastify') return;
      const fastify = host.httpAdapter.getInstance<FastifyInstance>();
      fastify.addHook('onRequest', (request, reply, done) => {
        const cors = OWN.test(request.url)
          ? corsHeaders(request.headers, settings.current.allowedOrigins)
          : null;
        for (let i = 0; cors !== null && i < cors.length; i += 2) void reply.header(cors[i]!, cors[i + 1]);
        done();
      });
    });
  }
}
