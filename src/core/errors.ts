import type { ErrorCode } from './error-code.js';
import type { ApiShape } from './request-facts.js';

/** An error that the router answers a request with, in the shape of the client's API. */
export class RouterError extends Error {
  override readonly name = 'RouterError';

  constructor(
    readonly status: number,
    readonly code: ErrorCode,
    message: string,
    readonly param: string | null = null,
    /** Seconds for `Retry-After`; null sends none. */
    readonly retryAfter: number | null = null,
    /** The connection cannot be used again (an unread body, a drain): it is closed after the answer. */
    readonly closeConnection = false,
  ) {
    super(message);
  }
}

const SHOWN_MODELS = 20;

export const invalidJson = (detail: string): RouterError =>
  new RouterError(400, 'invalid_json', `Invalid request: request body must be valid JSON (${detail}).`);

export const notAnObject = (): RouterError =>
  new RouterError(400, 'invalid_request', 'Invalid request: request body must be a JSON object.');

/**
 * What the framework refuses, in its words.
 * @param status 400 to 499
 */
export const refusedByFramework = (reason: string, status = 400): RouterError =>
  new RouterError(status, 'invalid_request', `Invalid request: ${reason.replace(/\.$/, '')}.`);

export const modelRequired = (): RouterError =>
  new RouterError(400, 'model_required', "Invalid request: missing 'model' in request body.", 'model');

export const modelNotString = (): RouterError =>
  new RouterError(400, 'invalid_request', "Invalid request: 'model' must be a string.", 'model');

/** The request's own framing is doubtful: nothing more is read from its connection. */
export const badFraming = (fault: string): RouterError =>
  new RouterError(400, 'invalid_request', `Invalid request: ${fault}.`, null, null, true);

/** `limit` in bytes. */
export const bodyTooLarge = (limit: number): RouterError =>
  new RouterError(
    413,
    'request_too_large',
    `Request body is larger than ${limit} bytes (--max-body-size).`,
    null,
    null,
    true,
  );

/** `seconds` without enough progress. */
export const bodyTooSlow = (seconds: number): RouterError =>
  new RouterError(
    408,
    'request_timeout',
    `Request body did not arrive within ${seconds} s (--client-body-timeout).`,
    null,
    null,
    true,
  );

/** `known` are the ids that exist; the first 20 are named. */
export function modelNotFound(model: string, known: readonly string[]): RouterError {
  const asked = model.length > 200 ? `${model.slice(0, 200)}…` : model;
  const names = known.slice(0, SHOWN_MODELS).join(', ');
  const more = known.length > SHOWN_MODELS ? ` and ${known.length - SHOWN_MODELS} more` : '';
  const exist = known.length === 0 ? 'No model is served.' : `Models that exist: ${names}${more}.`;
  return new RouterError(404, 'model_not_found', `Model '${asked}' not found. ${exist}`, 'model');
}

/** The key that a client sent is none, or unknown; what it sent is not told. */
export const invalidKey = (): RouterError =>
  new RouterError(
    401,
    'invalid_api_key',
    'A valid API key is needed: send it as "Authorization: Bearer KEY" or "x-api-key: KEY".',
  );

/** Nobody can show that he is an operator, so nobody may act as one. */
export const actionsOff = (): RouterError =>
  new RouterError(403, 'actions_off', 'Actions need a key: start the router with --admin-key.');

export const routeNotFound = (): RouterError => new RouterError(404, 'route_not_found', 'Not found.');

export const notSynced = (): RouterError =>
  new RouterError(503, 'not_synced', 'The engines are not known yet. Please try again soon.', null, 1);

export const noEngineReady = (model: string): RouterError =>
  new RouterError(
    503,
    'no_engine_ready',
    `Model '${model}' is temporarily unavailable: no engine that serves it is ready. Please try again later.`,
    'model',
    5,
  );

export const bodyMemoryFull = (): RouterError =>
  new RouterError(
    503,
    'overloaded',
    'The router holds as many request bytes as it may (--max-body-memory). Please try again.',
    null,
    1,
    true,
  );

export const enginesFull = (model: string): RouterError =>
  new RouterError(
    503,
    'overloaded',
    `Every engine of model '${model}' has as many requests as it may (--max-requests-per-engine).`,
    null,
    1,
  );

/** `retryAfter` in whole seconds. */
export const tooManyRequests = (retryAfter: number): RouterError =>
  new RouterError(
    503,
    'overloaded',
    'As many requests are under way as may be (--max-concurrent-requests). Please try again.',
    null,
    retryAfter,
  );

/** A connection beyond `--max-connections`. `retryAfter` in whole seconds. */
export const tooManyConnections = (retryAfter: number): RouterError =>
  new RouterError(
    503,
    'overloaded',
    'As many connections are open as may be (--max-connections). Please try again.',
    null,
    retryAfter,
    true,
  );

/** The first token would come too late. `retryAfter` in whole seconds, when it would be the client's turn. */
export const overloaded = (model: string, retryAfter: number): RouterError =>
  new RouterError(
    429,
    'overloaded',
    `The engines of model '${model}' are busy: the answer would begin too late. Please try again in ${retryAfter} s.`,
    null,
    retryAfter,
  );

export const shuttingDown = (): RouterError =>
  new RouterError(503, 'shutting_down', 'The router is shutting down. Please try again.', null, 1, true);

/** `attempts` says what happened at each engine, in order. */
export const engineUnreachable = (attempts: string): RouterError =>
  new RouterError(502, 'engine_unreachable', `No engine could answer: ${attempts}.`);

/** `attempts` says what happened at each engine, in order. */
export const engineTimeout = (attempts: string): RouterError =>
  new RouterError(504, 'engine_timeout', `The engine did not answer in time: ${attempts}.`);

/** An answer that had begun cannot be completed; `cause` is the attempt's. */
export function brokenOff(cause: string, timedOut: boolean): RouterError {
  if (cause === 'shutdown') {
    return new RouterError(503, 'shutting_down', 'The router shut down before the answer was complete.');
  }
  if (timedOut) {
    const message = `The engine stopped answering before the answer was complete (${cause}).`;
    return new RouterError(504, 'engine_timeout', message);
  }
  const message = `The engine broke off before the answer was complete (${cause}).`;
  return new RouterError(502, 'stream_interrupted', message);
}

export const internalError = (): RouterError =>
  new RouterError(500, 'internal_error', 'The router failed to handle the request.');

function openAiType(status: number): string {
  if (status === 404) return 'not_found_error';
  if (status === 429) return 'rate_limit_error';
  if (status < 500) return 'invalid_request_error';
  return status === 503 ? 'service_unavailable' : 'server_error';
}

function anthropicType(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 404) return 'not_found_error';
  if (status === 413) return 'request_too_large';
  if (status === 503 || status === 429) return 'overloaded_error';
  if (status === 504 || status === 408) return 'timeout_error';
  return status < 500 ? 'invalid_request_error' : 'api_error';
}

/** The error as a JSON body in the shape of the client's API (OpenAI's, or Anthropic's for `messages`). */
export function errorBody(error: RouterError, shape: ApiShape, requestId: string): string {
  if (shape === 'messages') {
    return JSON.stringify({
      type: 'error',
      error: { type: anthropicType(error.status), message: error.message, code: error.code },
      request_id: requestId,
    });
  }
  return JSON.stringify({
    error: {
      message: error.message,
      type: openAiType(error.status),
      param: error.param,
      code: error.code,
    },
  });
}

/**
 * The error as the last frame of a stream that cannot go on. A client that reads frames sees it as an
 * error of its API; no `[DONE]` follows, since the answer is not complete.
 */
export function errorFrame(error: RouterError, shape: ApiShape, requestId: string): string {
  if (shape === 'messages') return `event: error\ndata: ${errorBody(error, shape, requestId)}\n\n`;
  if (shape === 'responses') {
    const data = JSON.stringify({
      type: 'error',
      code: error.code,
      message: `${error.message} (request ${requestId})`,
      param: error.param,
    });
    return `event: error\ndata: ${data}\n\n`;
  }
  const data = JSON.stringify({
    error: {
      message: `${error.message} (request ${requestId})`,
      type: openAiType(error.status),
      param: error.param,
      code: error.code,
    },
  });
  return `data: ${data}\n\n`;
}
