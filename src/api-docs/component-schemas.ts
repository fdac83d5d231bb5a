import { ERROR_CODES } from '../core/error-code.js';
import { STATES } from '../core/health/health-state.js';
import { list, object, orNull, ref, type Schema } from './openapi.js';

const text = (description: string): Schema => ({ type: 'string', description });
const flag = (description: string): Schema => ({ type: 'boolean', description });
const count: Schema = { type: 'integer', minimum: 0 };
const state: Schema = { enum: [...STATES] };
const nullable = (schema: Schema, description: string): Schema => ({
  anyOf: [schema, { type: 'null' }],
  description,
});
const code: Schema = { enum: Object.keys(ERROR_CODES), description: 'Stable; messages are not.' };
const fault = object({ message: { type: 'string' }, at: { type: 'integer' } }, ['message', 'at']);

/** Errors in the shapes that clients of both APIs expect (`errorBody` of `src/core/errors.ts`), and those of engines. */
export const ERROR_SCHEMAS: Readonly<Record<string, Schema>> = {
  RouterError: object(
    {
      error: object(
        { message: { type: 'string' }, type: { type: 'string' }, param: orNull('string'), code },
        ['message', 'type', 'param', 'code'],
      ),
    },
    ['error'],
  ),
  MessagesRouterError: object(
    {
      type: { const: 'error' },
      error: object({ type: { type: 'string' }, message: { type: 'string' }, code }, [
        'type',
        'message',
        'code',
      ]),
      request_id: { type: 'string' },
    },
    ['type', 'error', 'request_id'],
  ),
  EngineError: {
    type: 'object',
    description:
      "An engine's own error, as it came. vLLM's has `error` with `message`, `type`, `param` and the status as `code`.",
    additionalProperties: true,
  },
  AnyError: { anyOf: [ref('RouterError'), ref('EngineError')] },
  MessagesError: { anyOf: [ref('MessagesRouterError'), ref('EngineError')] },
};

export const CLIENT_SCHEMAS: Readonly<Record<string, Schema>> = {
  ModelCard: object(
    {
      id: text('The name to ask for; that of a LoRA adapter too.'),
      object: { const: 'model' },
      created: { type: 'integer', description: 'Seconds since the epoch.' },
      owned_by: { type: 'string' },
      root: orNull('string'),
      parent: { ...orNull('string'), description: 'The base model of an adapter.' },
      max_model_len: { ...orNull('integer'), description: 'As the engine tells it, where it does.' },
    },
    ['id'],
  ),
  ModelList: object({ object: { const: 'list' }, data: list(ref('ModelCard')) }, ['object', 'data']),
  Usage: object({
    prompt_tokens: count,
    completion_tokens: count,
    total_tokens: count,
    prompt_tokens_details: {
      ...nullable(
        object({ cached_tokens: orNull('integer') }),
        'Cached tokens, where the engine tells them.',
      ),
    },
  }),
};

export const PROBE_SCHEMAS: Readonly<Record<string, Schema>> = {
  Health: object(
    {
      status: text('`healthy`, or what has ended.'),
      discovery: object({
        provider: { type: 'string' },
        state: { enum: ['starting', 'synced', 'degraded', 'stopped'] },
        reason: orNull('string'),
        since: { type: 'string' },
      }),
      engines: object({
        known: count,
        usable: count,
        unknown: { ...count, description: 'Engines whose models are not known yet.' },
        states: { type: 'object', propertyNames: state, additionalProperties: count },
        not_ready: list(object({ url: { type: 'string' }, state, reason: orNull('string') })),
      }),
      dynamic_config: { type: ['object', 'null'], additionalProperties: true },
      dynamic_config_state: object({
        hash: orNull('string'),
        applied_at: orNull('integer'),
        last_error: nullable(fault, 'Why the file is not in force.'),
      }),
      files: list(
        object({
          flags: { type: 'string' },
          applied_at: { type: 'integer' },
          last_error: nullable(fault, 'Why the files are not in force.'),
        }),
      ),
      workers: object({ configured: count, running: count, restarts: count }),
    },
    ['status'],
  ),
  Ready: object({ status: { enum: ['ready', 'not ready'] }, reason: text('Why it is not ready.') }, [
    'status',
  ]),
  Version: object({ version: { type: 'string' } }, ['version']),
};

const place = {
  engine: text('Its base URL.'),
  reason: { type: 'string' },
  uncached: { type: 'number' },
  pending: { type: 'number' },
  in_flight: { type: 'number' },
  slowness: { type: 'number' },
  cost: { type: 'number' },
};

export const OPERATOR_SCHEMAS: Readonly<Record<string, Schema>> = {
  Decision: {
    ...object(
      {
        time: { type: 'number', description: 'When the request was received, seconds since the epoch.' },
        id: { type: 'string' },
        model: { type: 'string' },
        path: { type: 'string' },
        stream: { type: 'boolean' },
        session: { ...orNull('string'), description: 'Stands for the value of the session key.' },
        strategy: { type: 'string' },
        candidates: count,
        ranking: list(object(place, ['engine', 'reason'])),
        attempts: list(
          object(
            {
              ...place,
              outcome: orNull('string'),
              cause: orNull('string'),
              status: orNull('integer'),
              duration: { ...orNull('number'), description: 'Seconds.' },
            },
            ['engine', 'outcome'],
          ),
        ),
        engine: orNull('string'),
        outcome: { ...orNull('string'), description: 'Null while the request is under way.' },
        status: orNull('integer'),
        ttft: { ...orNull('number'), description: 'Seconds to the first output of a stream.' },
        duration: { ...orNull('number'), description: 'Seconds.' },
      },
      ['time', 'id', 'model', 'path', 'strategy', 'ranking', 'attempts', 'outcome'],
    ),
    description: 'How a request was sent where it went. The fields are those of docs/decision-log.md.',
  },
  DrainReport: object(
    {
      engine: { type: 'string' },
      drained: { type: 'boolean' },
      changed: flag('False: it was so before.'),
    },
    ['engine', 'drained', 'changed'],
  ),
  ReloadReport: object(
    {
      dynamic_file: {
        enum: ['applied', 'unchanged', 'rejected', null],
        description:
          'Null without a dynamic file. `unchanged`: what it holds was in force, or refused, before.',
      },
      files: list(object({ flags: { type: 'string' }, error: orNull('string') }, ['flags', 'error'])),
      error: { ...orNull('string'), description: 'Why the dynamic file is not in force.' },
    },
    ['dynamic_file', 'files', 'error'],
  ),
};
