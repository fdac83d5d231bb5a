import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** An answer that is the same for everybody, until the program is another. */
export interface KeptAnswer {
  readonly type: string;
  readonly etag: string;
  readonly bytes: Buffer;
}

export function keptAnswer(type: string, bytes: Buffer): KeptAnswer {
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  return { type, etag, bytes };
}

/** A page loads nothing but its own files, and nobody frames it. */
export const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** Sends it, or 304 to who has it already. */
export async function sendKept(
  request: FastifyRequest,
  reply: FastifyReply,
  { type, etag, bytes }: KeptAnswer,
  headers: Readonly<Record<string, string>> = PAGE_HEADERS,
): Promise<void> {
  void reply.headers(headers).header('cache-control', 'no-cache').header('etag', etag);
  if (hasIt(request.headers['if-none-match'], etag)) await reply.status(304).send();
  else await reply.header('content-type', type).send(bytes);
}

/** The weak comparison of RFC 9110 section 13.1.2: proxies that compress make tags weak. */
function hasIt(given: string | undefined, etag: string): boolean {
  if (given === undefined) return false;
  return given.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
