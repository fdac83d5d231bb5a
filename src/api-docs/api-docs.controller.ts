import { Controller, Get, Param, Req, Res, UseFilters } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { routeNotFound } from '../core/errors.js';
import { sendKept } from '../pages/kept-answer.js';
import { PageFiles } from '../pages/page-files.js';
import { RouterErrorFilter } from '../proxy/router-error.filter.js';
import { cameByAdminPort } from '../security/principal.js';
import { accessibleTo } from '../security/route-access.js';
import { ApiDocuments } from './api-documents.service.js';

const PAGE = 'api-docs.html';
const FILES = {
  [PAGE]: 'text/html; charset=utf-8',
  'api-docs.js': 'text/javascript; charset=utf-8',
  'api-docs.css': 'text/css; charset=utf-8',
};

/** `GET /openapi.json` and `/docs`, the page that shows it: the routes of the port that is asked, for everybody. */
@Controller()
@UseFilters(RouterErrorFilter)
export class ApiDocsController {
  readonly #files = new PageFiles(FILES);

  constructor(private readonly documents: ApiDocuments) {}

  @Get('openapi.json')
  @RouteConfig(accessibleTo('probe'))
  async document(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const document = await this.documents.of(cameByAdminPort(request.raw));
    await sendKept(request, reply, document, { 'x-content-type-options': 'nosniff' });
  }

  @Get('docs')
  @RouteConfig(accessibleTo('probe'))
  async page(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.#file(request, reply, PAGE);
  }

  @Get('docs/*')
  @RouteConfig(accessibleTo('probe'))
  async named(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('*') name: string,
  ): Promise<void> {
    // Addresses within the page are relative, so that it works below any path: it has one address alone.
    if (name === '' || name === PAGE) await reply.status(308).header('location', '../docs').send();
    else await this.#file(request, reply, name);
  }

  async #file(request: FastifyRequest, reply: FastifyReply, name: string): Promise<void> {
    const file = await this.#files.get(name);
    if (file === null) throw routeNotFound();
    await sendKept(request, reply, file);
  }
}
