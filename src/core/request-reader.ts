import { invalidJson, modelNotString, notAnObject, RouterError } from './errors.js';
import { isTooDeep, MOST_LEVELS } from './json-depth.js';
import { formFields, multipartBoundary } from './multipart.js';
import type { ApiShape } from './request-facts.js';

/** What is needed to read a request; small enough to be sent to another thread beside the body. */
export interface ReadInput {
  readonly contentType: string | undefined;
  /** Query string without `?`. */
  readonly query: string;
  /** Name of the session key, or null when the strategy needs none. */
  readonly sessionKey: string | null;
}

/** What a request's body and query say. */
export interface ReadResult {
  /** Null when nothing names a model. */
  readonly model: string | null;
  readonly stream: boolean;
  /** Session value found in the body. */
  readonly session: string | null;
  /** The body is a JSON object: `jsonObject` gives it. */
  readonly json: boolean;
  /** `priority` of the body, where it has a number for one. */
  readonly priority?: number;
}

const SHAPES: ReadonlyMap<string, ApiShape> = new Map([
  ['/v1/chat/completions', 'chat'],
  ['/v1/completions', 'completions'],
  ['/v1/responses', 'responses'],
  ['/v1/messages', 'messages'],
  ['/v1/messages/count_tokens', 'messages'],
]);

/** The API whose error and stream shapes the client of `path` expects. */
export function apiShape(path: string): ApiShape {
  return SHAPES.get(path) ?? 'other';
}

const MAX_SESSION = 1_024;

/** A copy: V8 makes a long slice a view of the whole text, which would stay in memory as long as the session. */
const beginOf = (text: string): string =>
  Buffer.from(text.slice(0, MAX_SESSION), 'utf16le').toString('utf16le');

function sessionOf(value: unknown): string | null {
  if (typeof value === 'string') {
    if (value.length > MAX_SESSION) return beginOf(value);
    return value === '' ? null : value;
  }
  return typeof value === 'number' ? String(value) : null;
}

function readForm(body: Buffer, boundary: string, input: ReadInput): ReadResult {
  const names = input.sessionKey === null ? ['model', 'stream'] : ['model', 'stream', input.sessionKey];
  const fields = formFields(body, boundary, names);
  return {
    model: fields.get('model') ?? null,
    stream: /^(true|1|yes|on)$/i.test(fields.get('stream') ?? ''),
    session: input.sessionKey === null ? null : sessionOf(fields.get(input.sessionKey)),
    json: false,
  };
}

/** Engines accept a byte order mark; JSON.parse does not. */
const startOf = (body: Buffer): number => (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0);

const asObject = (parsed: unknown): Record<string, unknown> | null =>
  typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    ? (parsed as Record<string, unknown>)
    : null;

/**
 * The JSON object that a body is; undefined for another body.
 * @param body UTF-8; what is none is read as replacement characters
 */
export function jsonObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(JSON.parse(body.toString('utf8', startOf(body)))) ?? undefined;
  } catch {
    return undefined;
  }
}

// Own properties alone: a session key may be called like a member of Object.prototype.
const own = (object: Record<string, unknown>, key: string): unknown =>
  Object.hasOwn(object, key) ? object[key] : undefined;

const BEYOND_ASCII = /[\u0080-\uffff]/;
const isAscii = (value: unknown): boolean => typeof value !== 'string' || !BEYOND_ASCII.test(value);

/**
 * Parses a body as if each byte were a character. All that JSON's grammar names is ASCII, which no byte of another
 * character in UTF-8 is (RFC 3629 section 3), so the same texts are accepted and ASCII values are right; V8 decodes
 * and parses one byte a character several times as fast.
 * @returns null when the text is no JSON, no object, or holds other characters where the router reads
 */
function readBytes(body: Buffer, start: number, sessionKey: string | null): Record<string, unknown> | null {
  let object: Record<string, unknown> | null;
  try {
    object = asObject(JSON.parse(body.toString('latin1', start)));
  } catch {
    return null;
  }
  if (object === null || !isAscii(own(object, 'model'))) return null;
  if (sessionKey === null) return object;
  return isAscii(sessionKey) && isAscii(own(object, sessionKey)) ? object : null;
}

/** @throws {RouterError} which may quote the text */
function readText(body: Buffer, start: number): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8', start));
  } catch (error) {
    // V8 quotes up to a few dozen characters of the text around the fault; line breaks would blur a log.
    throw invalidJson((error as Error).message.replace(/\s+/g, ' ').slice(0, 200));
  }
  const object = asObject(parsed);
  if (object === null) throw notAnObject();
  return object;
}

function readJson(body: Buffer, { sessionKey }: ReadInput): ReadResult {
  if (isTooDeep(body)) throw invalidJson(`nested deeper than ${MOST_LEVELS} levels`);
  const start = startOf(body);
  const object = readBytes(body, start, sessionKey) ?? readText(body, start);
  const model = own(object, 'model');
  if (model !== undefined && model !== null && typeof model !== 'string') throw modelNotString();
  const result = {
    model: model === undefined || model === null || model === '' ? null : model,
    stream: own(object, 'stream') === true,
    session: sessionKey === null ? null : sessionOf(own(object, sessionKey)),
    json: true,
  };
  const priority = own(object, 'priority');
  return typeof priority === 'number' ? { ...result, priority } : result;
}

/**
 * Finds the model, the stream flag and the session in a body (JSON, or a form for multipart) and the
 * query string. The bytes are only read. A model in the body wins over one in the query.
 * @throws {RouterError} 400 when the body is neither a form nor a JSON object
 */
export function readRequest(body: Buffer, input: ReadInput): ReadResult {
  const query = input.query === '' ? null : new URLSearchParams(input.query).get('model');
  if (body.length === 0)
    return { model: query === '' ? null : query, stream: false, session: null, json: false };
  const boundary = input.contentType === undefined ? null : multipartBoundary(input.contentType);
  let result: ReadResult;
  try {
    result = boundary === null ? readJson(body, input) : readForm(body, boundary, input);
  } catch (error) {
    // With the model in the query the body is the engine's alone to understand.
    if (error instanceof RouterError && query !== null && query !== '') {
      return { model: query, stream: false, session: null, json: false };
    }
    throw error;
  }
  return result.model === null && query !== null && query !== '' ? { ...result, model: query } : result;
}
