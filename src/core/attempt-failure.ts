import type { FailCause } from './commit.js';

/** Stable words for why an attempt failed; the label `cause` of the metrics. */
export type AttemptCause =
  | FailCause
  | 'refused'
  | 'unresolved'
  | 'no_socket'
  | 'connect_timeout'
  | 'tls'
  | 'reset'
  | 'garbage'
  | 'first_byte_timeout'
  | 'idle_timeout'
  | 'total_timeout'
  | 'request_deadline'
  | 'connect_deadline'
  | 'first_byte_deadline'
  | 'idle_deadline'
  | 'dead'
  | 'stalled'
  | 'drain_timeout'
  | 'shutdown';

// Error codes of Node's sockets, of undici and of the own client.
const CAUSES: Readonly<Record<string, AttemptCause>> = {
  ECONNREFUSED: 'refused',
  EHOSTUNREACH: 'refused',
  ENETUNREACH: 'refused',
  EHOSTDOWN: 'refused',
  // The router itself has no file, no port or no memory for a connection.
  EMFILE: 'no_socket',
  ENFILE: 'no_socket',
  EADDRNOTAVAIL: 'no_socket',
  ENOBUFS: 'no_socket',
  ENOMEM: 'no_socket',
  ENOTFOUND: 'unresolved',
  EAI_AGAIN: 'unresolved',
  UND_ERR_CONNECT_TIMEOUT: 'connect_timeout',
  ETIMEDOUT: 'connect_timeout',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  UND_ERR_SOCKET: 'reset',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'garbage',
  UND_ERR_HEADERS_OVERFLOW: 'garbage',
  ERR_ANSWER_NOT_HTTP: 'garbage',
};

interface CodedError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly errors?: unknown;
}

/** The cause of a failed exchange, from the error that the socket or the HTTP client raised. */
export function causeOfError(error: unknown): AttemptCause {
  const { name, code, errors } = error as CodedError;
  // undici's parser error has a code for some faults alone; for others it trips over its own assertions.
  if (name === 'HTTPParserError' || code === 'ERR_ASSERTION') return 'garbage';
  if (typeof code === 'string') {
    const known = CAUSES[code];
    if (known !== undefined) return known;
    if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(code)) return 'tls';
  }
  // Node tries each address of a name and raises all failures together.
  if (Array.isArray(errors) && errors.length > 0) return causeOfError(errors[0]);
  return 'reset';
}

const TIMEOUTS: ReadonlySet<AttemptCause> = new Set<AttemptCause>([
  'first_byte_timeout',
  'idle_timeout',
  'total_timeout',
  'connect_timeout',
  'request_deadline',
  'connect_deadline',
  'first_byte_deadline',
  'idle_deadline',
]);

/** Causes after which the client hears 504 rather than 502. */
export const isTimeout = (cause: AttemptCause): boolean => TIMEOUTS.has(cause);

/** Limits that the client has set itself, by a header: they tell nothing of the engine. */
const DEADLINES: ReadonlySet<string> = new Set<AttemptCause>([
  'request_deadline',
  'connect_deadline',
  'first_byte_deadline',
  'idle_deadline',
]);

/** The client waited for a shorter time than the router would have. */
export const isDeadline = (cause: string): boolean => DEADLINES.has(cause);

/** After these no engine is tried any more. */
export const endsRequest = (cause: AttemptCause): boolean =>
  cause === 'total_timeout' || cause === 'request_deadline' || cause === 'shutdown';

const TAKES_BUDGET: ReadonlySet<AttemptCause> = new Set<AttemptCause>([
  'busy',
  'http_5xx',
  'error_event',
  'total_timeout',
  'shutdown',
]);

/**
 * Whether the engine has given a bad answer, or none in time, and may give more of them: a fleet that is sick must not be
 * multiplied by retries, so they take from a budget. Other causes tell of an engine, or a connection, that is going down.
 * @param answered a whole answer had come
 */
export const takesBudget = (cause: AttemptCause, answered: boolean): boolean =>
  isTimeout(cause) || (answered && TAKES_BUDGET.has(cause));
