import { Controller, Get, Header, Param, Req, Res, UseFilters } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SettingsStore } from '../config/settings-store.js';
import { routeNotFound } from '../core/errors.js';
import { RouterErrorFilter } from '../proxy/router-error.filter.js';
import { accessibleTo } from '../security/route-access.js';
import { LiveFeed } from './live-feed.js';
import { isPageFile, PageFiles } from './page-files.js';

/** The page loads nothing but its own files, and nobody frames it. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** `GET /dashboard`: the live page. Its files tell nothing; what it shows needs what `/metrics` needs. */
@Controller()
@UseFilters(RouterErrorFilter)
export class DashboardController {
  constructor(
    private readonly files: PageFiles,
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
      ...HEADERS,
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // Proxies that gather answers must not gather this one.
      'x-accel-buffering': 'no',
    });
    this.feed.join(raw);
  }

  async #file(request: FastifyRequest, reply: FastifyReply, name: string): Promise<void> {
    if (!isPageFile(name)) throw routeNotFound();
    const { type, etag, bytes } = await this.files.get(name);
    void reply.headers(HEADERS).header('cache-control', 'no-cache').header('etag', etag);
    if (request.headers['if-none-match'] === etag) await reply.status(304).send();
    else await reply.header('content-type', type).send(bytes);
  }
}
