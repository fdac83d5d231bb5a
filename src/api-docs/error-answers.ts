import { ERROR_CODES, type ErrorCode } from '../core/error-code.js';
import { type Answer, type Header, json, refTo, type Schema } from './openapi.js';

type StatusOf<Code extends ErrorCode> = (typeof ERROR_CODES)[Code]['statuses'][number];
type Status = StatusOf<ErrorCode>;
type CodesWith<S extends Status> = {
  [Code in ErrorCode]: S extends StatusOf<Code> ? Code : never;
}[ErrorCode];

/** Statuses, each with the codes that a route answers with. */
export type Codes = { readonly [S in Status]?: readonly CodesWith<S>[] };

/** Headers of answers. */
export const HEADERS: Readonly<Record<string, Header>> = {
  RequestId: {
    description:
      "The client's own `x-request-id` where it is usable, else a new one. Logs and traces have it.",
    required: true,
    schema: { type: 'string' },
  },
  RetryAfter: { description: 'Seconds.', schema: { type: 'integer', minimum: 0 } },
  WwwAuthenticate: { description: 'How to send a key.', schema: { const: 'Bearer' } },
};

export const REQUEST_ID = { 'x-request-id': refTo('headers', 'RequestId') };

/**
 * The errors of the router's own that a route answers with, by status.
 * @param error the schema of their bodies
 */
export function errorAnswers(codes: Codes, error: Schema): Readonly<Record<string, Answer>> {
  return Object.fromEntries(
    Object.entries(codes).map(([status, names]) => [status, answerWith(status, names, error)]),
  );
}

function answerWith(status: string, codes: readonly ErrorCode[], error: Schema): Answer {
  const headers = {
    ...REQUEST_ID,
    ...(status === '401' ? { 'www-authenticate': refTo('headers', 'WwwAuthenticate') } : {}),
    ...(status === '429' || status === '503' ? { 'retry-after': refTo('headers', 'RetryAfter') } : {}),
  };
  const description = codes.map((code) => `\`${code}\`: ${ERROR_CODES[code].meaning}`).join('\n\n');
  return { description, headers, content: json(error) };
}
