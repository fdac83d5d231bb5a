import type { ApiShape } from './request-facts.js';
import { parseFrame } from './sse-frames.js';

/**
 * What a frame or an answer means before anything has gone to the client:
 * `wait`: says nothing yet, goes out together with what follows;
 * `commit`: the answer has begun, the request stays with this engine;
 * `fail`: another engine could do better, `cause` says why.
 */
export type Verdict =
  | { readonly kind: 'wait' }
  | { readonly kind: 'commit' }
  | { readonly kind: 'fail'; readonly cause: FailCause };

/** Stable words for why an answer that arrived counts as a failed attempt. */
export type FailCause =
  'error_event' | 'abort' | 'empty_stream' | 'draining' | 'engine_dead' | 'busy' | 'http_5xx';

const WAIT: Verdict = { kind: 'wait' };
const COMMIT: Verdict = { kind: 'commit' };
const fail = (cause: FailCause): Verdict => ({ kind: 'fail', cause });

// What vLLM answers while it shuts down, and when its engine core has died.
const DRAINING = 'cannot schedule new futures after shutdown';
const ENGINE_DEAD = 'EngineCore encountered an issue';
// The 503 of a full queue (`--max-num-queued-reqs`), and of an engine that changes its number of ranks.
const BUSY = [
  'The engine is currently busy and cannot accept new requests',
  'The model is currently scaling',
];

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/** An error's message may repeat what a client has written: vLLM's own words are those that it begins with. */
function failOfMessage(message: unknown, otherwise: FailCause): Verdict {
  const text = typeof message === 'string' ? message : '';
  if (text.startsWith(DRAINING)) return fail('draining');
  if (text.startsWith(ENGINE_DEAD)) return fail('engine_dead');
  if (BUSY.some((words) => text.startsWith(words))) return fail('busy');
  return fail(otherwise);
}

/** An error in a stream: one that blames the request (4xx) is the answer, all others are the engine's. */
function errorVerdict(error: unknown): Verdict {
  if (!isObject(error)) return fail('error_event');
  const code = error['code'];
  if (typeof code === 'number' && code >= 400 && code < 500) return COMMIT;
  if (error['type'] === 'BadRequestError' || error['type'] === 'invalid_request_error') return COMMIT;
  return failOfMessage(error['message'], 'error_event');
}

const EMPTY_DELTA_KEYS = new Set(['role', 'refusal']);

function deltaHasContent(delta: unknown): boolean {
  if (!isObject(delta)) return false;
  return Object.entries(delta).some(
    ([key, value]) =>
      !EMPTY_DELTA_KEYS.has(key) &&
      value !== null &&
      value !== undefined &&
      value !== '' &&
      !(Array.isArray(value) && value.length === 0),
  );
}

function choicesVerdict(choices: unknown): Verdict {
  if (!Array.isArray(choices)) return COMMIT;
  for (const choice of choices) {
    if (!isObject(choice)) return COMMIT;
    const content = 'delta' in choice ? deltaHasContent(choice['delta']) : Boolean(choice['text']);
    if (content) return COMMIT;
    const reason = choice['finish_reason'];
    if (reason === 'abort') return fail('abort');
    if (reason !== null && reason !== undefined) return COMMIT;
  }
  return WAIT;
}

/** Events that an engine sends before it has scheduled anything. */
const PREAMBLE = new Set([
  'response.created',
  'response.queued',
  'response.in_progress',
  'message_start',
  'ping',
]);

function eventVerdict(type: string, body: Json): Verdict {
  if (PREAMBLE.has(type)) return WAIT;
  if (type === 'error') return errorVerdict(isObject(body['error']) ? body['error'] : body);
  if (type === 'response.failed') {
    const response = body['response'];
    return errorVerdict(isObject(response) ? response['error'] : null);
  }
  return COMMIT;
}

/** Judges one frame of a stream that has not been committed. `text` is the frame without its blank line. */
export function judgeFrame(text: string, shape: ApiShape): Verdict {
  const { event, data } = parseFrame(text);
  if (data === null) return WAIT;
  if (data.trim() === '[DONE]') return fail('empty_stream');
  let body: unknown;
  try {
    body = JSON.parse(data);
  } catch {
    return COMMIT;
  }
  if (!isObject(body)) return COMMIT;
  if (shape === 'messages' || shape === 'responses') {
    const type = typeof body['type'] === 'string' ? body['type'] : event;
    if (type !== null) return eventVerdict(type, body);
  }
  if ('error' in body && body['error'] !== null) return errorVerdict(body['error']);
  return 'choices' in body ? choicesVerdict(body['choices']) : COMMIT;
}

/** Statuses by which an engine, or a proxy before it, says that it cannot serve: another one may. */
const RETRYABLE_STATUS = new Set([500, 502, 503, 504]);

/** Tells from the head alone whether an answer needs to be looked at whole before it is committed. */
export function isRetryableStatus(status: number): boolean {
  return RETRYABLE_STATUS.has(status);
}

/** Judges a whole JSON answer (not a stream) of at most 1 MiB. */
export function judgeAnswer(status: number, body: Buffer): Verdict {
  if (isRetryableStatus(status)) {
    return failOfMessage(messageOf(body), 'http_5xx');
  }
  // An answer that ends with `abort` while its client is there comes from an engine that shuts down.
  return status === 200 && body.includes('"abort"') ? judgeAbort(body) : COMMIT;
}

function parsedOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}

/** The message of an error: in `error` since vLLM 0.10.1, beside it before, or `error` itself. */
function messageOf(body: Buffer): unknown {
  const parsed = parsedOf(body);
  if (!isObject(parsed)) return null;
  const error = parsed['error'] ?? parsed;
  return isObject(error) ? error['message'] : error;
}

function judgeAbort(body: Buffer): Verdict {
  const parsed = parsedOf(body);
  const choices = isObject(parsed) ? parsed['choices'] : null;
  if (!Array.isArray(choices)) return COMMIT;
  const aborted = choices.some((choice) => isObject(choice) && choice['finish_reason'] === 'abort');
  return aborted ? fail('abort') : COMMIT;
}
