import { hasForbidden, isToken } from '../../core/http1/field-line.js';
import { UnsendableRequest, type UpstreamRequest } from '../upstream-client.js';

// The visible characters of one byte: what undici lets pass, too.
const NOT_TARGET = /[^\x21-\x7e\x80-\xff]/;

/** Methods whose request without a body says so (RFC 9110 section 8.6). */
const EXPECTS_BODY = new Set(['POST', 'PUT', 'PATCH']);

/**
 * The head of a request, one character a byte (RFC 9112 section 3).
 * @param hostLine `Host: …` with its CRLF
 * @param length of the body in bytes
 * @throws {UnsendableRequest} when a part would break the framing
 */
export function requestHead(request: UpstreamRequest, hostLine: string, length: number): string {
  const { method, path, headers } = request;
  if (!isToken(method) || method === 'CONNECT') throw new UnsendableRequest('the method cannot be sent');
  if (path === '' || NOT_TARGET.test(path)) throw new UnsendableRequest('the path cannot be sent');
  let head = `${method} ${path} HTTP/1.1\r\n${hostLine}`;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    const value = headers[i + 1]!;
    if (!isToken(name) || frames(name)) throw new UnsendableRequest('a header cannot be sent');
    if (hasForbidden(value)) throw new UnsendableRequest(`the header ${name} cannot be sent`);
    head += `${name}: ${value}\r\n`;
  }
  if (length > 0 || EXPECTS_BODY.has(method)) head += `content-length: ${length}\r\n`;
  return `${head}\r\n`;
}

/** The client writes these by itself: a second one would leave the end or the addressee in doubt. */
function frames(name: string): boolean {
  switch (name.length) {
    case 4:
      return name.toLowerCase() === 'host';
    case 10:
      return name.toLowerCase() === 'connection';
    case 14:
      return name.toLowerCase() === 'content-length';
    case 17:
      return name.toLowerCase() === 'transfer-encoding';
    default:
      return false;
  }
}
