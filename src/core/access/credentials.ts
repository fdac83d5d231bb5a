import { headerValue, type RawHeaders } from '../headers.js';

/** The headers that carry a client's key: OpenAI's and Anthropic's. */
const isCredential = (name: string): boolean =>
  (name.length === 13 && name.toLowerCase() === 'authorization') ||
  (name.length === 9 && name.toLowerCase() === 'x-api-key');

const BEARER = /^bearer +([\x21-\x7e]+) *$/i;

/** The key of `Authorization: Bearer` (RFC 6750 section 2.1); null without one. */
export function bearerKey(headers: RawHeaders): string | null {
  const value = headerValue(headers, 'authorization');
  return value === undefined ? null : (BEARER.exec(value)?.[1] ?? null);
}

/** The key of `x-api-key`, as Anthropic's clients send it; null without one. */
export function headerKey(headers: RawHeaders): string | null {
  return headerValue(headers, 'x-api-key')?.trim() || null;
}

/** The headers without a client's key. */
export function withoutCredentials(headers: RawHeaders): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (!isCredential(headers[i]!)) kept.push(headers[i]!, headers[i + 1]!);
  }
  return kept;
}

/**
 * The headers for one engine.
 * @param key what the engine wants; null: the headers as they are, the same array
 * @param keepClients a key of the client goes before the engine's
 */
export function withEngineKey(headers: RawHeaders, key: string | null, keepClients: boolean): RawHeaders {
  if (key === null) return headers;
  if (keepClients && (bearerKey(headers) ?? headerKey(headers)) !== null) return headers;
  const own = withoutCredentials(headers);
  own.push('Authorization', `Bearer ${key}`);
  return own;
}
