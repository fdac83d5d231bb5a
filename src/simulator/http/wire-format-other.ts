/** Model cards, errors, embeddings, scores and the other small answers of vLLM 0.32, field by field. */
import { randomBytes } from 'node:crypto';
import type { SimulatedModel } from './wire-format.js';

export const hexId = (bytes = 8): string => randomBytes(bytes).toString('hex');
export const unixNow = (): number => Math.floor(Date.now() / 1000);

/** `max_model_len` of a base model that was given none. */
export const DEFAULT_MAX_MODEL_LEN = 131_072;

export const NOT_FOUND = { detail: 'Not Found' };
export const METHOD_NOT_ALLOWED = { detail: 'Method Not Allowed' };

export function modelList(models: readonly SimulatedModel[]): object {
  const created = unixNow();
  return {
    object: 'list',
    data: models.map(({ id, parent, root, maxModelLen }) => ({
      id,
      object: 'model',
      created,
      owned_by: 'vllm',
      root: root ?? `/models/${id}`,
      parent: parent ?? null,
      max_model_len: parent === undefined ? (maxModelLen ?? DEFAULT_MAX_MODEL_LEN) : null,
      permission: [
        {
          id: `modelperm-${hexId()}`,
          object: 'model_permission',
          created,
          allow_create_engine: false,
          allow_sampling: true,
          allow_logprobs: true,
          allow_search_indices: false,
          allow_view: true,
          allow_fine_tuning: false,
          organization: '*',
          group: null,
          is_blocking: false,
        },
      ],
    })),
  };
}

/** An error before it has a shape: the three APIs write the same fields differently. */
export interface EngineError {
  readonly status: number;
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
}

export const badRequest = (message: string, param: string | null = null): EngineError => ({
  status: 400,
  message,
  type: 'BadRequestError',
  param,
});

/** A body that the schema refuses: the type has a space in it, and it is never 422. */
export const schemaError = (detail: string, param: string | null): EngineError => ({
  status: 400,
  message: `1 validation error:\n  ${detail}`,
  type: 'Bad Request',
  param,
});

export const internalError = (message: string): EngineError => ({
  status: 500,
  message,
  type: 'InternalServerError',
  param: null,
});

export const DRAINING = internalError('cannot schedule new futures after shutdown');
export const ENGINE_DEAD = internalError(
  'EngineCore encountered an issue. See stack trace (above) for the root cause.',
);
/** Rendering and token-in token-out. */
export const SCALE_OUT_OFF: EngineError = {
  status: 403,
  message: 'Scale-out endpoints are disabled. Restart vllm serve with --enable-scale-out to enable them.',
  type: 'PermissionDeniedError',
  param: null,
};
export const QUEUE_FULL: EngineError = {
  status: 503,
  message:
    'The engine is currently busy and cannot accept new requests. Please try again later or on a different instance.',
  type: 'Service Unavailable',
  param: null,
};

/** The shape of `/v1/messages` is Anthropic's, that of vLLM up to 0.10.0 is flat, all else is OpenAI's. */
export function errorBody(error: EngineError, path: string, flat = false): object {
  const { message, type, param, status } = error;
  if (flat) return { object: 'error', message, type, param, code: status };
  if (path.startsWith('/v1/messages')) return { type: 'error', error: { type, message } };
  return { error: { message, type, param, code: status } };
}

/** An error in a stream; Python's `json.dumps` puts a space after colons and commas. */
export function errorFrame({ message, type, status }: EngineError): string {
  const text = JSON.stringify(message);
  return `data: {"error": {"message": ${text}, "type": ${JSON.stringify(type)}, "param": null, "code": ${status}}}\n\n`;
}

const poolingUsage = (tokens: number): object => ({
  prompt_tokens: tokens,
  total_tokens: tokens,
  completion_tokens: 0,
  prompt_tokens_details: null,
});

const listOf = (prefix: string, model: string, data: object[], tokens: number): object => ({
  id: `${prefix}-${hexId()}`,
  object: 'list',
  created: unixNow(),
  model,
  data,
  usage: poolingUsage(tokens),
});

/** Four numbers between 0 and 1 made from a text. */
function vectorOf(text: string): number[] {
  const vector = [0, 0, 0, 0];
  for (let index = 0; index < text.length; index += 1) {
    const at = index % 4;
    vector[at] = ((vector[at] ?? 0) * 31 + text.charCodeAt(index)) % 1009;
  }
  return vector.map((value) => value / 1009);
}

export const embeddingList = (model: string, texts: readonly string[], tokens: number): object =>
  listOf(
    'embd',
    model,
    texts.map((text, index) => ({ index, object: 'embedding', embedding: vectorOf(text) })),
    tokens,
  );

export const poolingList = (model: string, texts: readonly string[], tokens: number): object =>
  listOf(
    'pool',
    model,
    texts.map((text, index) => ({ index, object: 'pooling', data: vectorOf(text) })),
    tokens,
  );

export const classifyList = (model: string, texts: readonly string[], tokens: number): object =>
  listOf(
    'classify',
    model,
    texts.map((_text, index) => ({ index, label: 'LABEL_0', probs: [0.75, 0.25], num_classes: 2 })),
    tokens,
  );

export const scoreList = (model: string, texts: readonly string[], tokens: number): object =>
  listOf(
    'score',
    model,
    texts.map((text, index) => ({ index, object: 'score', score: vectorOf(text)[0] ?? 0 })),
    tokens,
  );

export const rerankResult = (model: string, texts: readonly string[], tokens: number): object => ({
  id: `score-${hexId()}`,
  model,
  usage: { prompt_tokens: tokens, total_tokens: tokens },
  results: texts
    .map((text, index) => ({
      index,
      document: { text, multi_modal: null },
      relevance_score: vectorOf(text)[0] ?? 0,
    }))
    .sort((a, b) => b.relevance_score - a.relevance_score),
});
