import { createHash } from 'node:crypto';
import type { RequestBody } from '../request-body.js';

/** Of longer bodies the begin and the end are looked at: what is asked last stands there. */
const LOOKED_AT = 64 * 1024;

/**
 * Tells requests apart, so that a client is known again when it comes back with the same one. 48 bits of a hash: a few
 * ten thousand of them are remembered.
 *
 * @param tenant so that nobody takes the turn of another tenant's request
 */
export function requestKey(tenant: string, path: string, body: RequestBody): number {
  const hash = createHash('sha1').update(`${tenant}\n${path}\n${body.length}\n`);
  const { pieces } = body;
  let begin = LOOKED_AT;
  for (const piece of pieces) {
    hash.update(piece.subarray(0, begin));
    begin -= Math.min(begin, piece.length);
    if (begin === 0) break;
  }
  if (body.length > LOOKED_AT) {
    let end = LOOKED_AT;
    for (let at = pieces.length - 1; at >= 0 && end > 0; at--) {
      const piece = pieces[at] as Buffer;
      hash.update(piece.subarray(Math.max(0, piece.length - end)));
      end -= Math.min(end, piece.length);
    }
  }
  return hash.digest().readUIntBE(0, 6);
}
