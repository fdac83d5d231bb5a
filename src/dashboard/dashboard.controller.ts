import { Controller, Get, Header, Param, Req, Res, UseFilters } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SettingsStore } from '../config/settings-store.js';
import { routeNotFound } from '../core/errors.js';
import { PAGE_HEADERS, sendKept } from '../pages/kept-answer.js';
import { PageFiles } from '../pages/page-files.js';
import { RouterErrorFilter } from '../proxy/router-error.filter.js';
import { accessibleTo } from '../security/route-access.js';
import { LiveFeed } from './live-feed.js';

/** Its files, with their types. */
const FILES = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
};

/** `GET /dashboard`: the live page. Its files tell nothing; what it shows needs what `/metrics` needs. */
@Controller()
@UseFilters(RouterErrorFilter)
export class DashboardController {
  readonly #files = new PageFiles(FILES);

  constructor(
    private readonly feed: LiveFeed,
    private readonly settings: SettingsStore,
  ) {}

  @Get('dashboard')
  @RouteConfig(accessibleTo('page'))
  async page(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.#file(request, reply, 'index.html');
  }

  @Get('dashboard/*')
  @RouteConfig(accessibleTo('page'))
  async named(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('*') name: string,
  ): Promise<void> {
    // Addresses within the page are relative, so that it works below any path: it has one address alone.
    if (name === '') await reply.status(308).header('location', '../dashboard').send();
    else await this.#file(request, reply, name);
  }

  /** Whether the page has to ask for the admin key: so it need not try in vain. */
  @Get('dashboard/access')
  @RouteConfig(accessibleTo('page'))
  @Header('cache-control', 'no-store')
  access(): { readonly asks_for_key: boolean } {
    return { asks_for_key: this.settings.current.adminKey !== null };
  }

  /** Server-sent events; see `LiveNews`. */
  @Get('dashboard/events')
  @RouteConfig(accessibleTo('live'))
  async events(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    if (request.method !== 'GET') throw routeNotFound();
    this.feed.check();
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, {
      ...PAGE_HEADERS,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Proxies that gather answers must not gather this one.
      'x-accel-buffering': 'no',
    });
    this.feed.join(raw);
  }

  async #file(request: FastifyRequest, reply: FastifyReply, name: string): Promise<void> {
    const file = await this.#files.get(name);
    if (file === null) throw routeNotFound();
    await sendKept(request, reply, file);
  }
}
