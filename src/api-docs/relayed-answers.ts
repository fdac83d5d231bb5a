import type { ApiRoute } from '../proxy/api-routes.js';
import {
  type Answer,
  type Answers,
  list,
  type MediaType,
  object,
  orNull,
  ref,
  refTo,
  type Schema,
} from './openapi.js';
import { type Codes, errorAnswers, REQUEST_ID } from './error-answers.js';
import type { ApiFacts } from './documented-route.js';
import { RELAYED_ROUTES } from './relayed-requests.js';
import { EXPLAIN } from '../core/headers.js';

const text = { type: 'string' } as const;
const integer = { type: 'integer' } as const;
const usage: Schema = { anyOf: [ref('Usage'), { type: 'null' }] };
const data = (properties: Readonly<Record<string, Schema>>, required: readonly string[]): Schema =>
  object(
    { object: text, model: text, data: list(object({ index: integer, ...properties }, required)), usage },
    ['data'],
  );

const choices = (properties: Readonly<Record<string, Schema>>): Schema =>
  object(
    {
      id: text,
      object: text,
      created: integer,
      model: text,
      choices: list(
        object({ index: integer, ...properties, finish_reason: orNull('string') }, [
          'index',
          'finish_reason',
        ]),
      ),
      usage,
    },
    ['id', 'object', 'model', 'choices'],
  );

const RERANKED = object(
  { model: text, results: list(object({ index: integer, relevance_score: { type: 'number' } })) },
  ['results'],
);
const SCORED = data({ score: { type: 'number' } }, ['score']);
const HEARD = object({ text }, ['text']);
const DRAWN = data({ b64_json: orNull('string'), url: orNull('string') }, []);

/** What vLLM answers, as far as clients rely on it; null: no JSON. */
const ANSWERS: Readonly<Record<ApiRoute, Schema | null>> = {
  'v1/chat/completions': choices({ message: object({ role: text, content: {} }, ['role']) }),
  'v1/completions': choices({ text }),
  'v1/responses': object({ id: text, object: text, status: text, output: list(object({ type: text })) }, [
    'id',
    'object',
    'output',
  ]),
  'v1/messages': object(
    {
      id: text,
      type: text,
      role: text,
      content: list(object({ type: text })),
      stop_reason: orNull('string'),
    },
    ['id', 'type', 'role', 'content'],
  ),
  'v1/messages/count_tokens': object({ input_tokens: integer }, ['input_tokens']),
  'v1/embeddings': data({ embedding: { type: ['array', 'string'] } }, ['embedding']),
  'v1/rerank': RERANKED,
  'v2/rerank': RERANKED,
  rerank: RERANKED,
  'v1/score': SCORED,
  score: SCORED,
  pooling: data({ data: {} }, ['data']),
  classify: data({ label: orNull('string'), probs: list({ type: 'number' }) }, ['probs']),
  tokenize: object({ count: integer, max_model_len: integer, tokens: list(integer) }, ['count', 'tokens']),
  detokenize: object({ prompt: text }, ['prompt']),
  'v1/audio/transcriptions': HEARD,
  'v1/audio/translations': HEARD,
  'v1/audio/speech': null,
  'v1/images/generations': DRAWN,
  'v1/images/edits': DRAWN,
  'v1/images/variations': DRAWN,
};

// Without a type: readers of the document differ in whether it is of the text or of each event.
const EVENTS: MediaType = {
  schema: {
    description:
      "With `stream`: the engine's events as they come. A stream that breaks after it has begun ends in an error event in " +
      'the shape of its API.',
  },
};

const ANY: MediaType = { schema: {} };

function content(route: ApiRoute): Readonly<Record<string, MediaType>> {
  const schema = ANSWERS[route];
  if (schema === null) return { 'audio/*': { schema: { type: 'string', contentMediaType: 'audio/*' } } };
  return {
    'application/json': { schema },
    ...(RELAYED_ROUTES[route].streams ? { 'text/event-stream': EVENTS } : {}),
    // `response_format` of a form may ask for it.
    ...(schema === HEARD ? { 'text/plain': ANY } : {}),
  };
}

/** Statuses with which the router itself refuses such a request. */
function codesOf({ asksForKeys, admits }: ApiFacts): Codes {
  return {
    400: ['invalid_json', 'invalid_request', 'model_required'],
    ...(asksForKeys ? { 401: ['invalid_api_key'] as const } : {}),
    404: ['model_not_found'],
    408: ['request_timeout'],
    413: ['request_too_large'],
    ...(admits ? { 429: ['overloaded'] as const } : {}),
    500: ['internal_error'],
    502: ['engine_unreachable'],
    503: ['no_engine_ready', 'not_synced', 'overloaded', 'shutting_down'],
    504: ['engine_timeout'],
  };
}

const OTHER: Answer = {
  description: 'What an engine answers beside these, as it sent it; errors with the statuses above too.',
  headers: REQUEST_ID,
  content: { '*/*': ANY },
};

/** Families of routes by the shape of their errors. */
const FAMILIES = [
  ['Relayed', 'AnyError'],
  ['Messages', 'MessagesError'],
] as const;
const familyOf = (route: ApiRoute): string => FAMILIES[route.startsWith('v1/messages') ? 1 : 0][0];

/** The answers that routes of the API have in common, for `components`. */
export function relayedComponents(facts: ApiFacts): Readonly<Record<string, Answer>> {
  const errors = FAMILIES.flatMap(([family, error]) =>
    Object.entries(errorAnswers(codesOf(facts), ref(error))).map(([status, answer]) => [
      family + status,
      answer,
    ]),
  );
  return { ...(Object.fromEntries(errors) as Record<string, Answer>), RelayedOther: OTHER };
}

/** What a route of the API answers with: the engine's answer, or an error of either. */
export function relayedAnswers(route: ApiRoute, facts: ApiFacts): Answers {
  const explanation = {
    [EXPLAIN]: {
      description: 'How the engine was chosen, for who asked by a header of that name.',
      schema: { type: 'string' },
    },
  };
  const errors = Object.keys(codesOf(facts)).map((status) => [
    status,
    refTo('responses', familyOf(route) + status),
  ]);
  return {
    200: {
      description: "The engine's answer, byte for byte.",
      headers: { ...REQUEST_ID, ...(facts.explains ? explanation : {}) },
      content: content(route),
    },
    ...(Object.fromEntries(errors) as Answers),
    default: refTo('responses', 'RelayedOther'),
  };
}
