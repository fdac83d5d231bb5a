import { DEADLINE_HEADERS } from './deadline-headers.js';

/** Headers as Node and undici hand them over: name, value, name, value, … with the sender's spelling. */
export type RawHeaders = readonly string[];

// RFC 9110 section 7.6.1, and the pre-standard names that proxies still meet.
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  // RFC 7540 section 3.2.1.
  'http2-settings',
]);

/** A client asks with it how its engine was chosen, and is told in an answer header of the same name. */
export const EXPLAIN = 'x-vllm-router-explain';

// Written anew for the engine, or not at all: host and length belong to the new connection, 100-continue has been
// answered here, the rest carries what the router knows of the client.
const REQUEST_REWRITTEN = new Set([
  'host',
  'content-length',
  'expect',
  'x-request-id',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  // Meant for the router alone.
  EXPLAIN,
  ...Object.values(DEADLINE_HEADERS),
]);

/** Spellings of names that are remembered; senders use a few dozen. */
const MAX_SPELLINGS = 1_024;
const MAX_SPELLING = 64;
/** The lower case of each spelling that has come, so that no request makes it anew. */
const LOWER = new Map<string, string>();

function lowerCase(name: string): string {
  const known = LOWER.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  if (LOWER.size < MAX_SPELLINGS && name.length <= MAX_SPELLING) LOWER.set(name, lower);
  return lower;
}

/** The value of a header (lower-case name), the first one when repeated. */
export function headerValue(headers: RawHeaders, name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) {
    const given = headers[i]!;
    if (given.length === name.length && given.toLowerCase() === name) return headers[i + 1];
  }
  return undefined;
}

// A host and a port (RFC 3986 section 3.2). A comma is allowed there, and is what joined lines would have.
const HOST = /^[\w.~!$&'()*+;=%:[\]-]*$/;

/**
 * What makes the end or the addressee of a request doubtful, in words for its client; null for nothing
 * (RFC 9112 sections 3.2 and 6.1). What Node refuses by itself is not asked again.
 */
export function framingFault(headers: RawHeaders, httpVersion: string): string | null {
  // Node's parser takes HTTP/0.9 and HTTP/2.0 in a request line and reads on as if it were 1.1.
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return 'no version of HTTP but 1.1 and 1.0 is spoken';
  let hosts = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    if (name.length === 4 && name.toLowerCase() === 'host') {
      hosts++;
      if (!HOST.test(headers[i + 1]!)) return 'the Host header is no host';
    }
    if (name.length !== 17 || name.toLowerCase() !== 'transfer-encoding') continue;
    if (httpVersion !== '1.1') return 'HTTP/1.0 has no transfer codings';
    if (headers[i + 1]!.trim().toLowerCase() !== 'chunked')
      return 'no transfer coding but chunked is understood';
  }
  if (hosts > 1) return 'more than one Host header';
  return hosts === 0 && httpVersion === '1.1' ? 'no Host header' : null;
}

/** Whether a request with these headers has a body (RFC 9112 section 6.3). */
export function announcesBody(headers: RawHeaders): boolean {
  const length = headerValue(headers, 'content-length');
  return length === undefined
    ? headerValue(headers, 'transfer-encoding') !== undefined
    : Number(length) !== 0;
}

/** Names that `Connection` lists, which are hop-by-hop in this message (RFC 9110 section 7.6.1). */
function namedByConnection(headers: RawHeaders): Set<string> | null {
  let named: Set<string> | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    const field = headers[i]!;
    if (field.length !== 10 || field.toLowerCase() !== 'connection') continue;
    if (headers[i + 1] === 'keep-alive') continue;
    for (const token of headers[i + 1]!.split(',')) {
      const name = token.trim().toLowerCase();
      if (name !== '' && name !== 'close' && name !== 'keep-alive') (named ??= new Set()).add(name);
    }
  }
  return named;
}

/** What is known of the client side of a request. */
export interface ClientSide {
  readonly requestId: string;
  /** Address of the peer that connected. */
  readonly address: string;
  readonly protocol: 'http' | 'https';
  /** The peer is one of `--trusted-proxies`: its own X-Forwarded-* are believed and extended. */
  readonly trusted: boolean;
}

/** Headers for the engine: end-to-end ones as they came, X-Forwarded-* and x-request-id by the router. */
export function requestHeaders(incoming: RawHeaders, client: ClientSide): string[] {
  const named = namedByConnection(incoming);
  const out: string[] = [];
  let forwardedFor = '';
  let forwardedProto: string = client.protocol;
  let forwardedHost: string | undefined;
  let host: string | undefined;
  for (let i = 0; i < incoming.length; i += 2) {
    const name = incoming[i]!;
    const value = incoming[i + 1]!;
    const lower = lowerCase(name);
    if (HOP_BY_HOP.has(lower) || named?.has(lower)) continue;
    if (!REQUEST_REWRITTEN.has(lower)) {
      out.push(name, value);
      continue;
    }
    if (lower === 'host') host = value;
    else if (client.trusted && lower === 'x-forwarded-for') {
      forwardedFor = forwardedFor === '' ? value : `${forwardedFor}, ${value}`;
    } else if (client.trusted && lower === 'x-forwarded-proto') forwardedProto = value;
    else if (client.trusted && lower === 'x-forwarded-host') forwardedHost = value;
  }
  out.push(
    'X-Forwarded-For',
    forwardedFor === '' ? client.address : `${forwardedFor}, ${client.address}`,
    'X-Forwarded-Proto',
    forwardedProto,
  );
  forwardedHost ??= host;
  if (forwardedHost !== undefined) out.push('X-Forwarded-Host', forwardedHost);
  out.push('X-Request-Id', client.requestId);
  return out;
}

/** What the router adds to an engine's answer. */
export interface AnswerAdditions {
  readonly requestId: string;
  readonly eventStream: boolean;
  /** Answers CORS itself: the engine's own `access-control-*` headers are dropped. */
  readonly cors: readonly string[] | null;
  /** How the engine was chosen, for the client that has asked. */
  readonly explain?: string | null;
}

/** Headers for the client: the engine's end-to-end ones as they came, and the router's own. */
export function answerHeaders(engine: RawHeaders, add: AnswerAdditions): string[] {
  const named = namedByConnection(engine);
  const out: string[] = [];
  let cacheControl = false;
  let accelBuffering = false;
  for (let i = 0; i < engine.length; i += 2) {
    const name = engine[i]!;
    const lower = lowerCase(name);
    if (HOP_BY_HOP.has(lower) || lower === 'x-request-id' || named?.has(lower)) continue;
    if (add.cors !== null && lower.startsWith('access-control-')) continue;
    if (lower === 'cache-control') cacheControl = true;
    else if (lower === 'x-accel-buffering') accelBuffering = true;
    out.push(name, engine[i + 1]!);
  }
  if (add.eventStream) {
    // Proxies in front (nginx among them) would hold frames back otherwise.
    if (!cacheControl) out.push('cache-control', 'no-cache');
    if (!accelBuffering) out.push('x-accel-buffering', 'no');
  }
  if (add.cors !== null) out.push(...add.cors);
  if (add.explain) out.push(EXPLAIN, add.explain);
  out.push('x-request-id', add.requestId);
  return out;
}
