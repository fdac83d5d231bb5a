import { All, Controller, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { API_ROUTES } from './api-routes.js';
import { bodyOf, RELAYED } from './body-parser.js';
import type { RouteKind } from './call.js';
import { ProxyService } from './proxy.service.js';

/** The routes that go to an engine. Bodies come as bytes and stay bytes; answers bypass Nest's serialisation. */
@Controller()
export class ProxyController {
  constructor(private readonly proxy: ProxyService) {}

  @Post([...API_ROUTES])
  @RouteConfig(RELAYED)
  api(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.#relay(request, reply, 'api');
  }

  /** Any other path goes to an engine of the model that it names, so that new engine routes need no release. */
  @All('*')
  @RouteConfig(RELAYED)
  any(@Req() request: FastifyRequest, @Res() reply: FastifyReply): void {
    this.#relay(request, reply, 'any');
  }

  #relay(request: FastifyRequest, reply: FastifyReply, kind: RouteKind): void {
    reply.hijack();
    this.proxy.handle(request.raw, reply.raw, bodyOf(request), kind);
  }
}
