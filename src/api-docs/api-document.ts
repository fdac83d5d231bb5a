import { CLIENT_SCHEMAS, ERROR_SCHEMAS, OPERATOR_SCHEMAS, PROBE_SCHEMAS } from './component-schemas.js';
import type { ApiFacts, DocumentedRoute } from './documented-route.js';
import { errorAnswers, HEADERS } from './error-answers.js';
import { type ApiDocument, type Components, type Operation, ref } from './openapi.js';
import { ACTION_ROUTES, DASHBOARD_ROUTE, decisionsRoute, METRICS_ROUTE } from './operator-routes.js';
import { MODEL_ROUTES, PROBE_ROUTES } from './own-routes.js';
import { relayedComponents } from './relayed-answers.js';
import { relayedParameters, relayedRoutes } from './relayed-operations.js';

const TAGS = [
  ['Generation', 'Text from a model. Requests go to an engine of the model.'],
  ['Pooling', 'Embeddings, scores and classes. Requests go to an engine of the model.'],
  ['Tokens', 'Tokens and their numbers. Requests go to an engine of the model.'],
  ['Audio', 'Speech to text and back. Requests go to an engine of the model.'],
  ['Images', 'Images. Requests go to an engine of the model.'],
  ['Models', 'What can be asked for.'],
  ['Health', 'How the router is.'],
  ['Operators', 'For those who look after the router.'],
] as const;

const RELAY =
  'Requests go to an engine of their model and answers come back byte for byte, so the schemas of both name what the router ' +
  'reads and what clients rely on, and leave room for all else. A path that is not listed and names a `model` in its JSON, ' +
  'form or query goes to an engine too; `GET /v1/realtime` is a WebSocket.\n\n' +
  "Errors of the router's own have a stable `code`; errors of engines come as the engine sent them. All carry `x-request-id`.";

/** The routes that are there, by what the router is told. */
function routesOf(facts: ApiFacts, remembered: number): readonly DocumentedRoute[] {
  const operators = [
    METRICS_ROUTE,
    ...(facts.explains ? [decisionsRoute(remembered)] : []),
    ...(facts.hasPage ? [DASHBOARD_ROUTE] : []),
    ...(facts.hasAdminKey ? ACTION_ROUTES : []),
  ];
  const clients = [...relayedRoutes(facts), ...MODEL_ROUTES];
  return [
    ...(facts.port === 'admin' ? [] : clients),
    ...PROBE_ROUTES,
    ...(facts.port === 'main' ? [] : operators),
  ];
}

const REFERENCE = /"#\/components\/(\w+)\/(\w+)"/g;

const CLIENT_KEY = ['clientKey', 'clientKeyHeader'] as const;
const ADMIN_KEY = ['adminKey', 'adminKeyHeader'] as const;

/** The key that a route asks for: either scheme of it will do. */
function keyFor({ access }: DocumentedRoute, facts: ApiFacts): typeof CLIENT_KEY | typeof ADMIN_KEY | null {
  if (access === 'client') return facts.asksForKeys ? CLIENT_KEY : null;
  return facts.hasAdminKey && (access === 'admin' || access === 'action') ? ADMIN_KEY : null;
}

function operationOf(route: DocumentedRoute, facts: ApiFacts): Operation {
  const key = keyFor(route, facts);
  if (key === null) return route.operation;
  const refused = errorAnswers({ 401: ['invalid_api_key'] }, ref('RouterError'));
  return {
    ...route.operation,
    responses: { ...refused, ...route.operation.responses },
    security: key.map((scheme) => ({ [scheme]: [] })),
  };
}

function securitySchemes({ asksForKeys, hasAdminKey, port }: ApiFacts) {
  const of = (name: string, whose: string) => ({
    [name]: { type: 'http', scheme: 'bearer', description: `${whose}, as \`Authorization: Bearer\`.` },
    [`${name}Header`]: {
      type: 'apiKey',
      in: 'header',
      name: 'x-api-key',
      description: `${whose}, as \`x-api-key\`.`,
    },
  });
  return {
    ...(asksForKeys && port !== 'admin' ? of('clientKey', 'One of the keys of clients') : {}),
    ...(hasAdminKey && port !== 'main' ? of('adminKey', 'The admin key') : {}),
  };
}

/** What the routes refer to, and what that refers to. */
function componentsOf(paths: ApiDocument['paths'], facts: ApiFacts): Components {
  const all: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    schemas: { ...ERROR_SCHEMAS, ...CLIENT_SCHEMAS, ...PROBE_SCHEMAS, ...OPERATOR_SCHEMAS },
    headers: HEADERS,
    parameters: relayedParameters(facts),
    responses: relayedComponents(facts),
  };
  const used = new Set<string>();
  const follow = (part: unknown): void => {
    for (const [, kind = '', name = ''] of JSON.stringify(part).matchAll(REFERENCE)) {
      if (used.has(`${kind} ${name}`)) continue;
      used.add(`${kind} ${name}`);
      follow(all[kind]![name]);
    }
  };
  follow(paths);
  const kept = Object.entries(all).map(([kind, named]) => [
    kind,
    Object.fromEntries(Object.entries(named).filter(([name]) => used.has(`${kind} ${name}`))),
  ]);
  return { ...(Object.fromEntries(kept) as Components), securitySchemes: securitySchemes(facts) };
}

/**
 * The OpenAPI document of a router.
 * @param remembered decisions that are kept
 */
export function apiDocument(facts: ApiFacts, remembered: number): ApiDocument {
  const routes = routesOf(facts, remembered);
  const paths = Object.fromEntries(
    routes.map((route) => [route.path, { [route.method]: operationOf(route, facts) }]),
  );
  const tags = new Set(routes.map(({ operation }) => operation.tags[0]));
  return {
    openapi: '3.1.1',
    info: {
      title: 'vllm-router',
      version: facts.version,
      summary: 'One OpenAI server in front of many vLLM engines',
      description: facts.port === 'admin' ? 'What operators ask of the router.' : RELAY,
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    // Of the admin port no path is published anew.
    servers: [{ url: facts.port === 'admin' || facts.rootPath === '' ? '/' : facts.rootPath }],
    tags: TAGS.filter(([name]) => tags.has(name)).map(([name, description]) => ({ name, description })),
    paths,
    components: componentsOf(paths, facts),
  };
}
