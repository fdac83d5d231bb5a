import { METRICS_TYPE, renderMetrics } from './engine-metrics.js';
import type { EngineState } from './engine-state.js';
import type { Exchange } from './exchange.js';
import { CHAT, COMPLETION, generate, MESSAGES, RESPONSES } from './generation.js';
import { formField, type ReceivedBody, searchFields } from './request-body.js';
import { checkMessages, modelFor, parseJsonBody } from './request-checks.js';
import { chatPrompt, countWords, type JsonObject, textOf, tokensFor } from './simulated-text.js';
import { VLLM_VERSION } from './wire-format.js';
import * as format from './wire-format-other.js';

type JsonRoute = (exchange: Exchange, state: EngineState, body: JsonObject) => void;

const empty: JsonRoute = (exchange) => exchange.send(200, [], '');

/** `GET` routes; what asks for them is no client request but a probe. */
const PROBES: Readonly<Record<string, JsonRoute>> = {
  '/v1/models': (exchange, { models }) => exchange.sendJson(200, format.modelList(models)),
  '/version': (exchange) => exchange.sendJson(200, { version: VLLM_VERSION }),
  '/health': empty,
  '/ping': empty,
  '/load': (exchange) => exchange.sendJson(200, { server_load: 0 }),
  '/kv_event_sources': (exchange) => exchange.sendJson(200, {}),
  '/metrics': (exchange, state) => exchange.send(200, ['content-type', METRICS_TYPE], renderMetrics(state)),
};

/** Texts that a pooling request is about, wherever its API puts them. */
function inputTexts(body: JsonObject): string[] {
  const given = body.input ?? body.documents ?? body.text_2 ?? body.items ?? body.messages ?? '';
  return (Array.isArray(given) ? given : [given]).map((item: unknown) =>
    typeof item === 'string' ? item : JSON.stringify(item),
  );
}

const pooling =
  (answer: (model: string, texts: readonly string[], tokens: number) => object): JsonRoute =>
  (exchange, state, body) => {
    const model = modelFor(state, body.model);
    if ('status' in model) return exchange.sendError(model);
    const texts = inputTexts(body);
    const tokens = texts.reduce((sum, text) => sum + countWords(text), 0);
    exchange.sendJson(200, answer(model.id, texts, tokens));
  };

const embeddings = pooling(format.embeddingList);
const score = pooling(format.scoreList);
const rerank = pooling(format.rerankResult);

const tokenize: JsonRoute = (exchange, state, body) => {
  const model = modelFor(state, body.model);
  if ('status' in model) return exchange.sendError(model);
  const prompt = Array.isArray(body.messages) ? chatPrompt(body.messages) : null;
  const text = prompt?.text ?? (typeof body.prompt === 'string' ? body.prompt : '');
  const count = prompt?.tokens ?? countWords(text);
  const tokens = Array.from({ length: count }, (_, index) => index + 4);
  const limit = model.maxModelLen ?? state.models.find(({ id }) => id === state.firstName)?.maxModelLen;
  exchange.sendJson(200, {
    count,
    max_model_len: limit ?? format.DEFAULT_MAX_MODEL_LEN,
    tokens,
    token_strs: null,
  });
};

const detokenize: JsonRoute = (exchange, state, body) => {
  const model = modelFor(state, body.model);
  if ('status' in model) return exchange.sendError(model);
  const tokens = Array.isArray(body.tokens) ? body.tokens : [];
  exchange.sendJson(200, { prompt: tokens.map((token) => `w${String(token)}`).join(' ') });
};

const countTokens: JsonRoute = (exchange, state, body) => {
  const wrong = checkMessages(body);
  const model = modelFor(state, body.model);
  if (wrong !== null) return exchange.sendError(wrong);
  if ('status' in model) return exchange.sendError(model);
  const { tokens } = chatPrompt(body.messages as unknown[]);
  exchange.sendJson(200, { input_tokens: tokens, context_management: { original_input_tokens: tokens } });
};

const responses: JsonRoute = (exchange, state, body) => {
  if (typeof body.previous_response_id === 'string') {
    return exchange.sendError(unknownResponse(body.previous_response_id));
  }
  generate(exchange, state, RESPONSES, body);
};

/** The store of responses is off by default: no id is ever known. */
const unknownResponse = (id: string): format.EngineError => ({
  status: 404,
  message: `Response with id '${id}' not found.`,
  type: 'invalid_request_error',
  param: 'response_id',
});

/** `POST` routes with a JSON body. */
const JSON_ROUTES: Readonly<Record<string, JsonRoute>> = {
  '/v1/chat/completions': (exchange, state, body) => generate(exchange, state, CHAT, body),
  '/v1/completions': (exchange, state, body) => generate(exchange, state, COMPLETION, body),
  '/v1/messages': (exchange, state, body) => generate(exchange, state, MESSAGES, body),
  '/v1/messages/count_tokens': countTokens,
  '/v1/responses': responses,
  '/v1/embeddings': embeddings,
  '/pooling': pooling(format.poolingList),
  '/classify': pooling(format.classifyList),
  '/score': score,
  '/v1/score': score,
  '/rerank': rerank,
  '/v1/rerank': rerank,
  '/v2/rerank': rerank,
  '/tokenize': tokenize,
  '/detokenize': detokenize,
};

/** `POST` routes with a `multipart/form-data` body. */
const FORM_ROUTES: readonly string[] = ['/v1/audio/transcriptions', '/v1/audio/translations'];

/** True for requests that routers and operators make to learn about an engine. */
export const isProbe = (method: string, pathname: string): boolean =>
  (method === 'GET' || method === 'HEAD') && Object.hasOwn(PROBES, pathname);

/** Answers a request as the engine does when nothing is wrong with it. */
export function answerRequest(exchange: Exchange, state: EngineState, body: ReceivedBody): void {
  const { method, path, headers } = exchange.seen;
  const pathname = path.split('?', 1)[0] ?? '';
  const authorized = state.apiKey === null || headers.authorization === `Bearer ${state.apiKey}`;
  if (!authorized && /^\/v[12]\//.test(pathname)) return exchange.sendJson(401, { error: 'Unauthorized' });

  const isForm = FORM_ROUTES.includes(pathname);
  const probe = Object.hasOwn(PROBES, pathname) ? PROBES[pathname] : undefined;
  const route = Object.hasOwn(JSON_ROUTES, pathname) ? JSON_ROUTES[pathname] : undefined;
  const responseId = /^\/v1\/responses\/([^/]+)$/.exec(pathname)?.[1];
  if (probe !== undefined && (method === 'GET' || pathname === '/ping')) return probe(exchange, state, {});
  if (responseId !== undefined && method === 'GET') return exchange.sendError(unknownResponse(responseId));
  if (isForm && method === 'POST') return transcribe(exchange, state, body);
  if (route !== undefined && method === 'POST') return answerJson(exchange, state, body, route);
  if (probe === undefined && route === undefined && !isForm) return exchange.sendJson(404, format.NOT_FOUND);
  const allow = ['allow', probe === undefined ? 'POST' : 'GET'];
  const detail = JSON.stringify(format.METHOD_NOT_ALLOWED);
  exchange.send(405, ['content-type', 'application/json'], detail, allow);
}

function answerJson(exchange: Exchange, state: EngineState, body: ReceivedBody, route: JsonRoute): void {
  if (body.bytes === null) return route(exchange, state, searchFields(body.ends));
  const parsed = parseJsonBody(exchange.seen.headers['content-type'], body.bytes);
  if ('error' in parsed) exchange.sendError(parsed.error);
  else route(exchange, state, parsed.body);
}

function transcribe(exchange: Exchange, state: EngineState, body: ReceivedBody): void {
  const model = modelFor(state, formField(body, 'model'));
  if ('status' in model) return exchange.sendError(model);
  const text = textOf(tokensFor(String(body.length)), 8).trim();
  exchange.sendJson(200, { text, usage: { type: 'duration', seconds: 1 } });
}
