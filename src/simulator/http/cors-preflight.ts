import type { Exchange } from './exchange.js';

const VARY =
  'Origin, Access-Control-Request-Method, Access-Control-Request-Headers, Access-Control-Request-Private-Network';
const METHODS = 'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY';

/** Refuses a preflight: vLLM allows no origin unless told to. False when the request is none. */
export function answerPreflight(exchange: Exchange): boolean {
  const { headers } = exchange.seen;
  if (headers.origin === undefined || headers['access-control-request-method'] === undefined) return false;
  const wanted = headers['access-control-request-headers'];
  const allowed = ['access-control-allow-methods', METHODS, 'access-control-max-age', '600'];
  const first = ['vary', VARY, ...allowed];
  if (wanted !== undefined) first.push('access-control-allow-headers', wanted);
  exchange.sendPlain(400, ['content-type', 'text/plain; charset=utf-8'], 'Disallowed CORS origin', first);
  return true;
}
