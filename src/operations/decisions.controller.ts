import { Controller, Get, Header, Query, UseFilters } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { DecisionRecord } from '../core/decision.js';
import { routeNotFound, RouterError } from '../core/errors.js';
import { Decisions, REMEMBERED } from '../decisions/decisions.service.js';
import { RouterErrorFilter } from '../proxy/router-error.filter.js';
import { accessibleTo } from '../security/route-access.js';

const USUAL = 100;

/** `GET /debug/routing`: how the last requests were sent where they went. There with `--allow-explain` alone. */
@Controller()
@UseFilters(RouterErrorFilter)
export class DecisionsController {
  constructor(private readonly decisions: Decisions) {}

  /** The newest first, those under way too. @throws {RouterError} 404 when it is off, 400 for another `n` */
  @Get('debug/routing')
  @RouteConfig(accessibleTo('admin'))
  @Header('cache-control', 'no-store')
  async latest(@Query('n') n: unknown = USUAL): Promise<{ readonly decisions: readonly DecisionRecord[] }> {
    if (!this.decisions.explained) throw routeNotFound();
    const count = typeof n === 'string' && !/^\d{1,4}$/.test(n) ? 0 : Number(n);
    if (!(count >= 1 && count <= REMEMBERED)) {
      const allowed = `a whole number from 1 to ${REMEMBERED}`;
      throw new RouterError(400, 'invalid_request', `Invalid request: 'n' must be ${allowed}.`, 'n');
    }
    return { decisions: await this.decisions.latestOfAll(count) };
  }
}
