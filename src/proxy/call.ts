import type { IncomingMessage } from 'node:http';
import type { Deadlines } from '../core/deadlines.js';
import type { ReceivedRequest } from '../tracing/request-span.js';
import type { ClientAnswer } from './client-answer.js';
import type { RequestBody } from './request-body.js';

/** `api`: a route that needs a model. `any`: a path the router does not know, forwarded when it names one. */
export type RouteKind = 'api' | 'any';

/** A request that has been received, on its way to its exchange. */
export interface Call {
  readonly request: IncomingMessage;
  readonly answer: ClientAnswer;
  readonly body: RequestBody;
  /** Monotonic milliseconds. */
  readonly receivedAt: number;
  /** Limits that the client has set; null for none. */
  deadlines: Deadlines | null;
  readonly kind: RouteKind;
  readonly id: string;
  readonly path: string;
  /** Without `?`. */
  readonly query: string;
}

/** The same as a trace begins with it. */
export function receivedRequest({ request, body, receivedAt, kind, id, path }: Call): ReceivedRequest {
  const { method = 'POST', rawHeaders: headers, httpVersion: version } = request;
  const scheme = isEncrypted(request) ? 'https' : 'http';
  return { id, method, path, known: kind === 'api', headers, scheme, version, size: body.length, receivedAt };
}

/** The client speaks TLS with the router. */
export const isEncrypted = ({ socket }: IncomingMessage): boolean =>
  (socket as { encrypted?: boolean }).encrypted === true;
