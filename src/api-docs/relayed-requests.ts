import type { ApiRoute } from '../proxy/api-routes.js';
import { list, object, type Schema } from './openapi.js';

/** A route whose requests go to an engine of their model, as clients use it. */
export interface RelayedRoute {
  readonly tag: 'Generation' | 'Pooling' | 'Tokens' | 'Audio' | 'Images';
  readonly summary: string;
  /** What its engine cannot do without, and what is in the example; any other field goes along. */
  readonly fields: Readonly<Record<string, Schema>>;
  readonly required: readonly string[];
  readonly example: Readonly<Record<string, unknown>>;
  /** Answers may come as server-sent events. */
  readonly streams?: true;
  /** The body is a form with a file. */
  readonly form?: true;
}

const text = { type: 'string' } as const;
const texts: Schema = { type: ['string', 'array'], description: 'A text, or several; token ids too.' };
const messages: Schema = { ...list({ type: 'object', additionalProperties: true }), minItems: 1 };
const tokens: Schema = { type: 'integer', minimum: 1, description: 'Tokens to generate at most.' };
const file: Schema = { type: 'string', contentMediaType: 'application/octet-stream' };

const CHAT_MODEL = 'facebook/opt-125m';
const POOLING_MODEL = 'BAAI/bge-m3';
const ONE_MESSAGE = [{ role: 'user', content: 'Hello' }];

const RERANK: RelayedRoute = {
  tag: 'Pooling',
  summary: 'Order documents by how well they answer a query',
  fields: { query: text, documents: list(text) },
  required: ['query', 'documents'],
  example: { model: POOLING_MODEL, query: 'What is a router?', documents: ['It routes.', 'It swims.'] },
};
const SCORE: RelayedRoute = {
  tag: 'Pooling',
  summary: 'How alike texts are',
  fields: { queries: texts, documents: texts },
  required: [],
  example: { model: POOLING_MODEL, queries: 'What is a router?', documents: ['It routes.', 'It swims.'] },
};
const EDIT: RelayedRoute = {
  tag: 'Images',
  summary: 'Change an image',
  form: true,
  fields: { image: file, prompt: text },
  required: ['image'],
  example: { model: 'Qwen/Qwen-Image', prompt: 'A lighthouse at night', image: '(bytes)' },
};

/** Each route of the API; the body of a request is the engine's to understand. */
export const RELAYED_ROUTES: Readonly<Record<ApiRoute, RelayedRoute>> = {
  'v1/chat/completions': {
    tag: 'Generation',
    summary: 'Answer a conversation',
    streams: true,
    fields: { messages, max_tokens: tokens },
    required: ['messages'],
    example: { model: CHAT_MODEL, messages: ONE_MESSAGE, max_tokens: 16 },
  },
  'v1/completions': {
    tag: 'Generation',
    summary: 'Continue a text',
    streams: true,
    fields: { prompt: texts, max_tokens: tokens },
    required: ['prompt'],
    example: { model: CHAT_MODEL, prompt: 'Once upon a time', max_tokens: 16 },
  },
  'v1/responses': {
    tag: 'Generation',
    summary: 'Answer, in the shape of the Responses API',
    streams: true,
    fields: { input: { type: ['string', 'array'] }, max_output_tokens: tokens },
    required: ['input'],
    example: { model: CHAT_MODEL, input: 'Hello', max_output_tokens: 16 },
  },
  'v1/messages': {
    tag: 'Generation',
    summary: "Answer a conversation, in the shape of Anthropic's Messages API",
    streams: true,
    fields: { messages, max_tokens: tokens },
    required: ['messages', 'max_tokens'],
    example: { model: CHAT_MODEL, messages: ONE_MESSAGE, max_tokens: 16 },
  },
  'v1/messages/count_tokens': {
    tag: 'Tokens',
    summary: 'Count the tokens of a conversation',
    fields: { messages },
    required: ['messages'],
    example: { model: CHAT_MODEL, messages: ONE_MESSAGE },
  },
  'v1/embeddings': {
    tag: 'Pooling',
    summary: 'Embed texts',
    fields: { input: texts },
    required: [],
    example: { model: POOLING_MODEL, input: ['Hello', 'world'] },
  },
  'v1/rerank': RERANK,
  'v2/rerank': RERANK,
  rerank: RERANK,
  'v1/score': SCORE,
  score: SCORE,
  pooling: {
    tag: 'Pooling',
    summary: 'What a pooling model makes of texts',
    fields: { input: texts },
    required: [],
    example: { model: POOLING_MODEL, input: 'Hello' },
  },
  classify: {
    tag: 'Pooling',
    summary: 'Put texts into classes',
    fields: { input: texts },
    required: [],
    example: { model: POOLING_MODEL, input: 'Hello' },
  },
  tokenize: {
    tag: 'Tokens',
    summary: 'The tokens of a text or a conversation',
    fields: { prompt: text, messages },
    required: [],
    example: { model: CHAT_MODEL, prompt: 'Hello world' },
  },
  detokenize: {
    tag: 'Tokens',
    summary: 'The text of tokens',
    fields: { tokens: list({ type: 'integer', minimum: 0 }) },
    required: ['tokens'],
    example: { model: CHAT_MODEL, tokens: [1, 2, 3] },
  },
  'v1/audio/transcriptions': {
    tag: 'Audio',
    summary: 'Write down what is said',
    form: true,
    streams: true,
    fields: { file },
    required: ['file'],
    example: { model: 'openai/whisper-small', file: '(bytes)' },
  },
  'v1/audio/translations': {
    tag: 'Audio',
    summary: 'Write down in English what is said',
    form: true,
    streams: true,
    fields: { file },
    required: ['file'],
    example: { model: 'openai/whisper-small', file: '(bytes)' },
  },
  'v1/audio/speech': {
    tag: 'Audio',
    summary: 'Say a text',
    fields: { input: text, voice: text },
    required: ['input'],
    example: { model: 'Qwen/Qwen3-TTS', input: 'Hello', voice: 'alloy' },
  },
  'v1/images/generations': {
    tag: 'Images',
    summary: 'Make an image',
    fields: { prompt: text },
    required: ['prompt'],
    example: { model: 'Qwen/Qwen-Image', prompt: 'A lighthouse' },
  },
  'v1/images/edits': EDIT,
  'v1/images/variations': { ...EDIT, summary: 'Make an image like another' },
};

/** The fields of bodies that the router itself reads, beside the name of the session. */
const READ_FIELDS = {
  model: {
    type: 'string',
    minLength: 1,
    description: 'Which engines may answer. A query of that name does as well.',
  },
  cache_salt: {
    type: 'string',
    description: 'Prompts of different salts share no prefix cache; `prefixaware` reckons with that.',
  },
  priority: {
    type: 'integer',
    description: 'The lower the more urgent; the order in which requests are held with `--ttft-target`.',
  },
  stream: { type: ['boolean', 'null'], description: 'Whether the answer comes as server-sent events.' },
} as const;

/**
 * The schema of a request's body: what the router reads, what the engine needs, and whatever else the engine takes.
 * @param sessionKey the field that may name the session; null: none is read
 */
export function requestSchema(route: RelayedRoute, sessionKey: string | null): Schema {
  const { stream, ...read } = READ_FIELDS;
  const session = {
    type: ['string', 'number'],
    description: 'Names the session, where no header of that name does.',
  };
  return object(
    {
      ...(sessionKey === null ? {} : { [sessionKey]: session }),
      ...read,
      ...(route.streams ? { stream } : {}),
      ...route.fields,
    },
    ['model', ...route.required],
  );
}
