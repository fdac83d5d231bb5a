import type { Attributes } from '@opentelemetry/api';
import { type DecidedPlace, decidedPlace } from '../../core/decision.js';
import type { Engine } from '../../core/engine.js';
import type { Ranked } from '../../core/ranking.js';
import type { ReceivedRequest } from '../request-span.js';

/**
 * Attribute names: those of the HTTP, URL, server, error and GenAI semantic conventions, those that production-stack's
 * router sets (`vllm.*`), and the router's own (`vllm_router.*`, with the words of docs/decision-log.md).
 */
export const ATTRIBUTE = {
  method: 'http.request.method',
  status: 'http.response.status_code',
  route: 'http.route',
  resends: 'http.request.resend_count',
  bodySize: 'http.request.body.size',
  version: 'network.protocol.version',
  path: 'url.path',
  scheme: 'url.scheme',
  url: 'url.full',
  address: 'server.address',
  port: 'server.port',
  errorType: 'error.type',
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  model: 'gen_ai.request.model',
  promptTokens: 'gen_ai.usage.input_tokens',
  completionTokens: 'gen_ai.usage.output_tokens',
  cachedTokens: 'gen_ai.usage.cache_read.input_tokens',
  requestId: 'vllm.request_id',
  vllmModel: 'vllm.model',
  engine: 'vllm.backend_url',
  strategy: 'vllm.routing_logic',
  stream: 'vllm_router.stream',
  held: 'vllm_router.held',
  candidates: 'vllm_router.candidates',
  attempts: 'vllm_router.attempts',
  ttft: 'vllm_router.ttft',
  outcome: 'vllm_router.outcome',
  attempt: 'vllm_router.attempt',
  kind: 'vllm_router.attempt.kind',
  cause: 'vllm_router.cause',
  place: 'vllm_router.place',
  reason: 'vllm_router.reason',
  worker: 'vllm_router.worker',
} as const;

/** Numbers of a place that strategies by cost give. */
const TERMS = [
  'uncached',
  'pending',
  'in_flight',
  'slowness',
  'cost',
] as const satisfies readonly (keyof DecidedPlace)[];

/** By the end of the path; the first that fits. */
const OPERATIONS = [
  ['/chat/completions', 'chat'],
  ['/responses', 'chat'],
  ['/messages', 'chat'],
  ['/completions', 'text_completion'],
  ['/embeddings', 'embeddings'],
] as const;

/** What the GenAI conventions call what a path asks for; undefined for what they have no word for. */
export const operationOf = (path: string): string | undefined =>
  OPERATIONS.find(([end]) => path.endsWith(end))?.[1];

export function receivedAttributes(received: ReceivedRequest): Attributes {
  const { id, method, path, known, scheme, version, size } = received;
  const attributes: Attributes = {
    [ATTRIBUTE.method]: method,
    [ATTRIBUTE.path]: path,
    [ATTRIBUTE.scheme]: scheme,
    [ATTRIBUTE.version]: version,
    [ATTRIBUTE.bodySize]: size,
    [ATTRIBUTE.requestId]: id,
  };
  if (known) attributes[ATTRIBUTE.route] = path;
  return attributes;
}

/** Of an engine, by its URL: the name of its host, the port, and what comes before each path. */
const PEERS = new WeakMap<Engine, { readonly attributes: Attributes; readonly base: string }>();

function peerOf(engine: Engine): { readonly attributes: Attributes; readonly base: string } {
  let peer = PEERS.get(engine);
  if (peer === undefined) {
    const { hostname, port, protocol, pathname, host } = new URL(engine.url);
    const attributes = {
      [ATTRIBUTE.address]: hostname.replace(/^\[|\]$/g, ''),
      [ATTRIBUTE.port]: Number(port) || (protocol === 'https:' ? 443 : 80),
      [ATTRIBUTE.engine]: engine.url,
    };
    peer = { attributes, base: `${protocol}//${host}${pathname.replace(/\/$/, '')}` };
    PEERS.set(engine, peer);
  }
  return peer;
}

/** Where an attempt goes and why. @param path without the query, which may hold what is nobody else's business */
export function attemptAttributes(taken: Ranked, place: number, path: string): Attributes {
  const { attributes: peer, base } = peerOf(taken.candidate.engine);
  const decided = decidedPlace(taken);
  const attributes: Attributes = {
    ...peer,
    [ATTRIBUTE.url]: base + path,
    [ATTRIBUTE.place]: place,
    [ATTRIBUTE.reason]: decided.reason,
  };
  for (const term of TERMS) {
    const value = decided[term];
    if (value !== undefined && !Number.isNaN(value)) attributes[`vllm_router.${term}`] = value;
  }
  return attributes;
}
