import type { Access } from './access-control.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may ask the route; absent for the routes of an application around the router. */
    vllmRouterAccess?: Access;
  }
}

/** Fastify route configuration that says who may ask a route (Nest's `RouteConfig`). */
export const accessibleTo = <A extends Access>(access: A): { readonly vllmRouterAccess: A } => ({
  vllmRouterAccess: access,
});
