import { Controller, Get, Param, UseFilters } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { modelNotFound, notSynced } from '../core/errors.js';
import type { ModelCard } from '../core/fleet.js';
import { FleetService } from '../discovery/fleet.service.js';
import { accessibleTo } from '../security/route-access.js';
import { RouterErrorFilter } from './router-error.filter.js';

/** `GET /v1/models`: what the fleet serves, merged over its engines. No engine is asked. */
@Controller()
@UseFilters(RouterErrorFilter)
export class ModelsController {
  constructor(private readonly fleet: FleetService) {}

  /** Before the first discovery has synced it lists what is known so far. */
  @Get('v1/models')
  @RouteConfig(accessibleTo('client'))
  list(): { readonly object: 'list'; readonly data: readonly ModelCard[] } {
    return { object: 'list', data: this.fleet.current.modelCards() };
  }

  /**
   * Names may contain slashes (`org/model`), percent-encoded or not.
   * @throws {RouterError} 404 for a name that no engine serves; 503 while not all are known
   */
  @Get('v1/models/*')
  @RouteConfig(accessibleTo('client'))
  one(@Param('*') id: string): ModelCard {
    const card = this.fleet.current.modelCard(id);
    if (card) return card;
    throw this.fleet.synced ? modelNotFound(id, this.fleet.current.modelIds) : notSynced();
  }
}
