import { headerValue, type RawHeaders } from '../../core/headers.js';

/** The longest time that a client may set, milliseconds: a day. */
const LONGEST = 86_400_000;

/**
 * When the first token of an answer is wanted, monotonic milliseconds: within the target, or where the client says with
 * `x-request-timeout-ms` how long the whole answer may take, so that the rest of it can still come.
 *
 * @param target seconds
 * @param generation how long the tokens after the first one are reckoned to take, seconds
 */
export function firstTokenDeadline(
  headers: RawHeaders,
  receivedAt: number,
  target: number,
  generation: number,
): number {
  const told = headerValue(headers, 'x-request-timeout-ms');
  if (told === undefined || !/^\s*\d{1,12}\s*$/.test(told)) return receivedAt + target * 1e3;
  const whole = Math.min(Number(told), LONGEST);
  // Of a time that is short for the whole answer half is left: what is reckoned of answers is a mean.
  return receivedAt + Math.max(whole - generation * 1e3, whole / 2);
}
