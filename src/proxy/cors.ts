import type { IncomingHttpHeaders } from 'node:http';
import { EXPLAIN } from '../core/headers.js';

/** Headers of an answer that scripts of another origin may read, beside those that they always may. */
const EXPOSED = `x-request-id, ${EXPLAIN}`;

// How long a browser may remember a preflight's answer, seconds.
const MAX_AGE = '600';

/**
 * The CORS headers for a request from `origin` (Fetch standard, section 3.2), or null when `--allowed-origins`
 * is off and CORS is left to the engines. An origin that is not allowed gets `vary` alone.
 */
export function corsHeaders(headers: IncomingHttpHeaders, allowed: readonly string[]): string[] | null {
  if (allowed.length === 0) return null;
  const { origin } = headers;
  if (allowed.includes('*')) {
    return ['access-control-allow-origin', '*', 'access-control-expose-headers', EXPOSED];
  }
  if (origin === undefined || !allowed.includes(origin)) return ['vary', 'Origin'];
  return ['access-control-allow-origin', origin, 'vary', 'Origin', 'access-control-expose-headers', EXPOSED];
}

/** Whether the request is a CORS preflight, which the router answers itself. */
export function isPreflight(method: string, headers: IncomingHttpHeaders): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}

/** What a preflight's answer holds beside `corsHeaders`. */
export function preflightHeaders(headers: IncomingHttpHeaders): string[] {
  const asked = headers['access-control-request-headers'];
  const out = ['access-control-allow-methods', 'GET, POST, PUT, PATCH, DELETE, OPTIONS'];
  if (typeof asked === 'string') out.push('access-control-allow-headers', asked);
  out.push('access-control-max-age', MAX_AGE);
  return out;
}
