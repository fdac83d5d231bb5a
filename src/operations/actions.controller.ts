import { Body, Controller, Header, HttpCode, Post, UseFilters } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { notAnObject, RouterError } from '../core/errors.js';
import { RouterErrorFilter } from '../proxy/router-error.filter.js';
import { accessibleTo } from '../security/route-access.js';
import { type DrainReport, OperatorActions, type ReloadReport } from './operator-actions.js';

/** Longest id or URL of an engine, in characters. */
const LONGEST = 4_096;

/** What an operator can do, with `--admin-key` in a header: no site that a browser is on can know it. */
@Controller('admin')
@UseFilters(RouterErrorFilter)
export class ActionsController {
  constructor(private readonly actions: OperatorActions) {}

  @Post('engines/drain')
  @HttpCode(200)
  @RouteConfig(accessibleTo('action'))
  @Header('cache-control', 'no-store')
  drain(@Body() body: unknown): DrainReport {
    return this.actions.setDrained(engineIn(body), true);
  }

  @Post('engines/return')
  @HttpCode(200)
  @RouteConfig(accessibleTo('action'))
  @Header('cache-control', 'no-store')
  giveBack(@Body() body: unknown): DrainReport {
    return this.actions.setDrained(engineIn(body), false);
  }

  @Post('discovery/retry')
  @HttpCode(200)
  @RouteConfig(accessibleTo('action'))
  @Header('cache-control', 'no-store')
  async retry(): Promise<{ readonly retried: true }> {
    await this.actions.retryDiscovery();
    return { retried: true };
  }

  @Post('reload')
  @HttpCode(200)
  @RouteConfig(accessibleTo('action'))
  @Header('cache-control', 'no-store')
  async reload(): Promise<ReloadReport> {
    return this.actions.reload();
  }
}

/** @throws {RouterError} 400 for a body without the name of an engine */
function engineIn(body: unknown): string {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw notAnObject();
  const { engine } = body as { engine?: unknown };
  if (typeof engine === 'string' && engine !== '' && engine.length <= LONGEST) return engine;
  throw new RouterError(
    400,
    'invalid_request',
    "Invalid request: 'engine' must be the URL or the id of an engine.",
    'engine',
  );
}
