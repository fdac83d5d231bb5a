import { All, Controller, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodyOf, RELAYED } from './body-parser.js';
import { ProxyService, type RouteKind } from './proxy.service.js';

/** The routes that go to an engine. Bodies come as bytes and stay bytes; answers bypass Nest's serialisation. */
@Controller()
export class ProxyController {
  constructor(private readonly proxy: ProxyService) {}

  @Post([
    'v1/chat/completions',
    'v1/completions',
    'v1/embeddings',
    'v1/responses',
    'v1/messages',
    'v1/messages/count_tokens',
    'v1/rerank',
    'v2/rerank',
    'rerank',
    'v1/score',
    'score',
    'pooling',
    'classify',
    'tokenize',
    'detokenize',
    'v1/audio/transcriptions',
    'v1/audio/translations',
    'v1/audio/speech',
    'v1/images/generations',
    'v1/images/edits',
    'v1/images/variations',
  ])
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
