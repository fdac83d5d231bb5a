import type { DocumentedRoute } from './documented-route.js';
import { ref } from './openapi.js';
import { errors, told } from './own-answers.js';

const CARD = {
  ...{ id: 'facebook/opt-125m', object: 'model', created: 1_764_000_000, owned_by: 'vllm' },
  ...{ root: 'facebook/opt-125m', parent: null, max_model_len: 2048 },
};

/** The lists of models. */
export const MODEL_ROUTES: readonly DocumentedRoute[] = [
  {
    method: 'get',
    path: '/v1/models',
    access: 'client',
    operation: {
      operationId: 'listModels',
      tags: ['Models'],
      summary: 'The models of all engines',
      description:
        'Merged, adapters too; no engine is asked. Until the engines are known it lists those that are known so far.',
      responses: {
        200: told('The models.', ref('ModelList'), { object: 'list', data: [CARD] }),
        ...errors({ 503: ['overloaded'] }),
      },
    },
  },
  {
    method: 'get',
    path: '/v1/models/{model}',
    access: 'client',
    operation: {
      operationId: 'getModel',
      tags: ['Models'],
      summary: 'One model',
      parameters: [
        {
          name: 'model',
          in: 'path',
          required: true,
          description: 'Its name; slashes may be percent-encoded or not.',
          schema: { type: 'string', minLength: 1 },
          example: CARD.id,
        },
      ],
      responses: {
        200: told('The model.', ref('ModelCard'), CARD),
        ...errors({ 404: ['model_not_found'], 503: ['not_synced', 'overloaded'] }),
      },
    },
  },
];

/** What load balancers and those who look after the router ask; on both ports. */
export const PROBE_ROUTES: readonly DocumentedRoute[] = [
  {
    method: 'get',
    path: '/health',
    access: 'probe',
    operation: {
      operationId: 'health',
      tags: ['Health'],
      summary: 'Whether the router lives',
      description:
        'From memory alone. 503 only when a loop of its own has ended, which a restart cures. What it tells beside `status` ' +
        'is for operators: with `--admin-port` it is told there, with `--admin-key` to who sends that key.',
      responses: {
        200: told('It lives.', ref('Health'), { status: 'healthy' }),
        503: told('A loop of its own has ended.', ref('Health')),
        ...errors({}),
      },
    },
  },
  {
    method: 'get',
    path: '/ready',
    access: 'probe',
    operation: {
      operationId: 'ready',
      tags: ['Health'],
      summary: 'Whether requests should be sent here now',
      responses: {
        200: told('Yes.', ref('Ready'), { status: 'ready' }),
        503: told('No, and why.', ref('Ready'), { status: 'not ready', reason: 'shutting down' }),
        ...errors({}),
      },
    },
  },
  {
    method: 'get',
    path: '/version',
    access: 'probe',
    operation: {
      operationId: 'version',
      tags: ['Health'],
      summary: "The router's version",
      responses: { 200: told('The version.', ref('Version')), ...errors({}) },
    },
  },
];
