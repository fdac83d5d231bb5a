import type { DocumentedRoute } from './documented-route.js';
import type { Codes } from './error-answers.js';
import { json, object, ref } from './openapi.js';
import { errors, told } from './own-answers.js';

/** What operators look at. */
export const METRICS_ROUTE: DocumentedRoute = {
  method: 'get',
  path: '/metrics',
  access: 'admin',
  operation: {
    operationId: 'metrics',
    tags: ['Operators'],
    summary: 'Figures for Prometheus',
    description: 'docs/metrics.md has all of them.',
    responses: {
      200: {
        description: 'The text format of Prometheus.',
        content: { 'text/plain': { schema: { type: 'string' } } },
      },
      ...errors({ 503: ['overloaded'] }),
    },
  },
};

export const DASHBOARD_ROUTE: DocumentedRoute = {
  method: 'get',
  path: '/dashboard',
  access: 'page',
  operation: {
    operationId: 'dashboard',
    tags: ['Operators'],
    summary: 'The live page',
    description: 'For a browser. What it shows needs what `/metrics` needs.',
    responses: {
      200: { description: 'The page.', content: { 'text/html': { schema: { type: 'string' } } } },
      ...errors({ 503: ['internal_error'] }),
    },
  },
};

/** @param remembered decisions that are kept */
export const decisionsRoute = (remembered: number): DocumentedRoute => ({
  method: 'get',
  path: '/debug/routing',
  access: 'admin',
  operation: {
    operationId: 'lastDecisions',
    tags: ['Operators'],
    summary: 'How the last requests were sent where they went',
    description: 'The newest first, those under way too; no text of prompts or answers.',
    parameters: [
      {
        name: 'n',
        in: 'query',
        description: 'How many at most.',
        schema: { type: 'integer', minimum: 1, maximum: remembered, default: 100 },
        example: 10,
      },
    ],
    responses: {
      200: told(
        'The decisions.',
        object({ decisions: { type: 'array', items: ref('Decision') } }, ['decisions']),
      ),
      ...errors({ 503: ['overloaded'] }),
    },
  },
});

const ENGINE = {
  required: true,
  content: json(
    object(
      { engine: { type: 'string', minLength: 1, description: 'Its base URL, or its id on the live page.' } },
      ['engine'],
    ),
    { engine: 'http://a:8000' },
  ),
};
/** What any of them may be refused with beside the key. */
const ACTION = {
  400: ['invalid_request'],
  413: ['invalid_request'],
  415: ['invalid_request'],
  503: ['overloaded'],
} as const satisfies Codes;

/** What operators do. */
export const ACTION_ROUTES: readonly DocumentedRoute[] = [
  {
    method: 'post',
    path: '/admin/engines/drain',
    access: 'action',
    operation: {
      operationId: 'drainEngine',
      tags: ['Operators'],
      summary: 'Take an engine out',
      description:
        'It gets no new requests and keeps those that it has, in all workers, until it is returned, leaves the fleet, or the ' +
        'router starts anew.',
      requestBody: ENGINE,
      responses: {
        200: told('It is drained.', ref('DrainReport'), {
          ...{ engine: 'http://a:8000', drained: true, changed: true },
        }),
        ...errors({ ...ACTION, 404: ['engine_not_found'] }),
      },
    },
  },
  {
    method: 'post',
    path: '/admin/engines/return',
    access: 'action',
    operation: {
      operationId: 'returnEngine',
      tags: ['Operators'],
      summary: 'Give an engine back',
      description: 'It gets requests again, in a slow start.',
      requestBody: ENGINE,
      responses: {
        200: told('It gets requests.', ref('DrainReport'), {
          ...{ engine: 'http://a:8000', drained: false, changed: true },
        }),
        ...errors({ ...ACTION, 404: ['engine_not_found'] }),
      },
    },
  },
  {
    method: 'post',
    path: '/admin/discovery/retry',
    access: 'action',
    operation: {
      operationId: 'retryDiscovery',
      tags: ['Operators'],
      summary: 'Begin the discovery anew',
      description:
        'Beside the one in force, which stays when that fails; all engines are asked for their models.',
      responses: {
        200: told('It has begun.', object({ retried: { const: true } }, ['retried']), { retried: true }),
        ...errors({ ...ACTION, 502: ['discovery_failed'] }),
      },
    },
  },
  {
    method: 'post',
    path: '/admin/reload',
    access: 'action',
    operation: {
      operationId: 'reload',
      tags: ['Operators'],
      summary: 'Look at the files that are followed',
      description:
        'The dynamic file and the files of keys and certificates. A file that is refused is no error of the request.',
      responses: {
        200: told('What became of it.', ref('ReloadReport'), {
          dynamic_file: 'applied',
          files: [],
          error: null,
        }),
        ...errors({ ...ACTION, 409: ['nothing_to_reload'] }),
      },
    },
  },
];
