import { DEADLINE_HEADERS } from '../core/deadline-headers.js';
import { EXPLAIN } from '../core/headers.js';
import { API_ROUTES, type ApiRoute } from '../proxy/api-routes.js';
import type { ApiFacts, DocumentedRoute } from './documented-route.js';
import { type Parameter, refTo } from './openapi.js';
import { relayedAnswers } from './relayed-answers.js';
import { RELAYED_ROUTES, requestSchema } from './relayed-requests.js';

const header = (
  name: string,
  description: string,
  schema: Parameter['schema'] = { type: 'string' },
): Parameter => ({
  name,
  in: 'header',
  description,
  schema,
});

const MILLISECONDS = { type: 'integer', minimum: 1, maximum: 9_999_999_999 };

const DEADLINES = {
  RequestTimeout: header(
    DEADLINE_HEADERS.request,
    'How long the whole request may take, milliseconds.',
    MILLISECONDS,
  ),
  ConnectTimeout: header(
    DEADLINE_HEADERS.connect,
    'How long connecting to an engine may take, milliseconds.',
    MILLISECONDS,
  ),
  FirstByteTimeout: header(
    DEADLINE_HEADERS.firstByte,
    'How long the first output may take, milliseconds.',
    MILLISECONDS,
  ),
  IdleTimeout: header(DEADLINE_HEADERS.idle, 'How long an answer may be silent, milliseconds.', MILLISECONDS),
};

/**
 * The headers that the router reads, for `components`. `--tenant-header` is what a proxy in front sets, and no business of
 * clients.
 */
export function relayedParameters({ sessionKey, explains }: ApiFacts): Readonly<Record<string, Parameter>> {
  const id = "The client's own name for the request: letters, digits and `._:/+=@-`, 128 at most.";
  const priority = 'As `priority` of the body, and counts before it.';
  return {
    RequestId: header('x-request-id', id),
    ...DEADLINES,
    Priority: header('x-vllm-priority', priority, { type: 'integer' }),
    ...(sessionKey === null ? {} : { Session: header(sessionKey, 'Names the session.') }),
    ...(explains ? { Explain: header(EXPLAIN, '`1` asks how the engine was chosen.') } : {}),
  };
}

function routeOf(path: ApiRoute, facts: ApiFacts): DocumentedRoute {
  const route = RELAYED_ROUTES[path];
  const media = { schema: requestSchema(route, facts.sessionKey), example: route.example };
  return {
    method: 'post',
    path: `/${path}`,
    access: 'client',
    operation: {
      operationId: path.replaceAll(/[/_]+(\w)/g, (_, letter: string) => letter.toUpperCase()),
      tags: [route.tag],
      summary: route.summary,
      description: 'Goes to an engine of the model, byte for byte; fields that are not listed too.',
      parameters: Object.keys(relayedParameters(facts)).map((name) => refTo('parameters', name)),
      requestBody: {
        required: true,
        content: { [route.form ? 'multipart/form-data' : 'application/json']: media },
      },
      responses: relayedAnswers(path, facts),
    },
  };
}

/** The routes whose requests go to an engine. */
export const relayedRoutes = (facts: ApiFacts): readonly DocumentedRoute[] =>
  API_ROUTES.map((path) => routeOf(path, facts));
