import type { IncomingMessage, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE, ModulesContainer } from '@nestjs/core';
import { API_ROUTES } from './api-routes.js';
import { BodyIntake } from './body-intake.js';
import { isClosing } from './closing-connections.js';
import { HeadCheck } from './head-check.js';
import { ProxyService } from './proxy.service.js';

const PATHS: ReadonlySet<string> = new Set(API_ROUTES.map((route) => `/${route}`));
const ENHANCERS = [APP_GUARD, APP_INTERCEPTOR, APP_PIPE];

/**
 * Takes requests for the routes of the API before Fastify and Nest look for a route, and hands them to the
 * same service as `ProxyController` does. For our own server alone: a host application may have hooks.
 */
@Injectable()
export class ShortWay {
  constructor(
    private readonly intake: BodyIntake,
    private readonly proxy: ProxyService,
    private readonly heads: HeadCheck,
    private readonly modules: ModulesContainer,
  ) {}

  /** No global guard, interceptor or pipe would be passed by. */
  get open(): boolean {
    return ![...this.modules.values()].some(({ providers }) =>
      // Nest makes the tokens of global enhancers unique by what it appends.
      [...providers.keys()].some((token) => ENHANCERS.some((enhancer) => String(token).startsWith(enhancer))),
    );
  }

  /** Takes the request if it is for a route of the API, by its exact path; false: nothing has been done. */
  readonly take = (request: IncomingMessage, response: ServerResponse): boolean => {
    if (request.method !== 'POST' || !PATHS.has(request.url ?? '')) return false;
    if (isClosing(request.socket)) return true;
    const refused = this.heads.refusal(request, 'client');
    if (refused !== null) {
      this.proxy.handle(request, response, refused, 'api');
      return true;
    }
    this.intake.receive(request, (body) => this.proxy.handle(request, response, body, 'api'));
    return true;
  };
}
