import { answerPreflight } from './cors-preflight.js';
import { DEV_ROUTES } from './dev-routes.js';
import type { EngineState } from './engine-state.js';
import type { Exchange } from './exchange.js';
import { CHAT, COMPLETION, generate, MESSAGES, RESPONSES } from './generation.js';
import { LORA_ROUTES } from './lora-routes.js';
import { POOLING_ROUTES } from './pooling-routes.js';
import { formField, type ReceivedBody, searchFields } from './request-body.js';
import { checkMessages, modelFor, parseJsonBody } from './request-checks.js';
import type { JsonRoute, Route } from './route.js';
import { chatPrompt, countWords, textOf, tokensFor } from './simulated-text.js';
import * as format from './wire-format-other.js';

/** As vLLM's, which may serve OpenMetrics when asked for it; this one never does. */
const METRICS_TYPE = 'text/plain; version=1.0.0; charset=utf-8';

const empty: Route = (exchange) => exchange.send(200, [], '');

/** `GET` routes; what asks for them is no client request but a probe. */
const PROBES: Readonly<Record<string, Route>> = {
  '/v1/models': (exchange, { models }) => exchange.sendJson(200, format.modelList(models)),
  '/version': (exchange, { version }) => exchange.sendJson(200, { version }),
  '/health': empty,
  '/ping': empty,
  '/load': (exchange, { serverLoadTracking, load }) =>
    exchange.sendJson(200, { server_load: serverLoadTracking ? load : 0 }),
  '/kv_event_sources': (exchange) => exchange.sendJson(200, {}),
  '/metrics': (exchange, state) => exchange.send(200, ['content-type', METRICS_TYPE], state.metricsText()),
};

const tokenize: JsonRoute = (exchange, state, body) => {
  const model = modelFor(state, body.model);
  if ('status' in model) return exchange.sendError(model);
  const count = Array.isArray(body.messages)
    ? chatPrompt(body.messages).ids.length
    : countWords(typeof body.prompt === 'string' ? body.prompt : '');
  const tokens = Array.from({ length: count }, (_, index) => index + 4);
  const limit = model.maxModelLen ?? state.models.find(({ id }) => id === state.firstName)?.maxModelLen;
  const max_model_len = limit ?? format.DEFAULT_MAX_MODEL_LEN;
  exchange.sendJson(200, { count, max_model_len, tokens, token_strs: null });
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
  const tokens = chatPrompt(body.messages as unknown[]).ids.length;
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

const renderIsOff: Route = (exchange) => exchange.sendError(format.SCALE_OUT_OFF);

/** `POST` routes of every engine, with a JSON body. */
const COMMON_ROUTES: Readonly<Record<string, JsonRoute>> = {
  '/tokenize': tokenize,
  '/detokenize': detokenize,
};

/** `POST` routes of an engine that generates text. */
const GENERATE_ROUTES: Readonly<Record<string, JsonRoute>> = {
  '/v1/chat/completions': (exchange, state, body) => generate(exchange, state, CHAT, body),
  '/v1/completions': (exchange, state, body) => generate(exchange, state, COMPLETION, body),
  '/v1/messages': (exchange, state, body) => generate(exchange, state, MESSAGES, body),
  '/v1/messages/count_tokens': countTokens,
  '/v1/responses': responses,
  '/v1/chat/completions/render': renderIsOff,
  '/v1/completions/render': renderIsOff,
  '/inference/v1/generate': renderIsOff,
};

/** `POST` routes with a `multipart/form-data` body. */
const FORM_ROUTES: readonly string[] = ['/v1/audio/transcriptions', '/v1/audio/translations'];

/** True for requests that routers and operators make to learn about an engine. */
export const isProbe = (method: string, pathname: string): boolean =>
  (method === 'GET' || method === 'HEAD') &&
  (Object.hasOwn(PROBES, pathname) || pathname === '/is_sleeping' || pathname === '/is_paused');

/** The JSON route of a path, when this engine has it. */
function jsonRouteOf(state: EngineState, pathname: string): JsonRoute | undefined {
  const tables = [
    COMMON_ROUTES,
    ...(state.runner === 'pooling' ? [] : [GENERATE_ROUTES]),
    ...(state.runner === 'generate' ? [] : [POOLING_ROUTES]),
    ...(state.loraUpdating ? [LORA_ROUTES] : []),
  ];
  return tables.find((table) => Object.hasOwn(table, pathname))?.[pathname];
}

/** Answers a request as the engine does when nothing is wrong with it. */
export function answerRequest(exchange: Exchange, state: EngineState, body: ReceivedBody): void {
  const { method, path, headers } = exchange.seen;
  const pathname = path.split('?', 1)[0] ?? '';
  if (method === 'OPTIONS' && answerPreflight(exchange)) return;
  const authorized = state.apiKey === null || headers.authorization === `Bearer ${state.apiKey}`;
  if (!authorized && /^\/(v[12]|inference|cohere)\//.test(pathname)) {
    return exchange.sendJson(401, { error: 'Unauthorized' });
  }
  const isForm = FORM_ROUTES.includes(pathname);
  const probe = Object.hasOwn(PROBES, pathname) ? PROBES[pathname] : undefined;
  const dev = state.devMode && Object.hasOwn(DEV_ROUTES, pathname) ? DEV_ROUTES[pathname] : undefined;
  const route = jsonRouteOf(state, pathname);
  const responseId = /^\/v1\/responses\/([^/]+)$/.exec(pathname)?.[1];
  if (probe !== undefined && (method === 'GET' || pathname === '/ping')) return probe(exchange, state);
  if (dev !== undefined && method === dev.method) return dev.answer(exchange, state);
  if (responseId !== undefined && method === 'GET') return exchange.sendError(unknownResponse(responseId));
  if (isForm && method === 'POST') return transcribe(exchange, state, body);
  if (route !== undefined && method === 'POST') return answerJson(exchange, state, body, route);
  if (probe === undefined && dev === undefined && route === undefined && !isForm)
    return exchange.sendJson(404, format.NOT_FOUND);
  const allow = ['allow', dev?.method ?? (probe === undefined ? 'POST' : 'GET')];
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
