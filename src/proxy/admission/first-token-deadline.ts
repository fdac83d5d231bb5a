/**
 * When the first token of an answer is wanted, monotonic milliseconds: within the target, or where the client says with
 * `x-request-timeout-ms` how long the whole answer may take, so that the rest of it can still come.
 *
 * @param endsAt when the whole answer must have ended, monotonic milliseconds; Infinity: the client does not say
 * @param target seconds
 * @param generation how long the tokens after the first one are reckoned to take, seconds
 */
export function firstTokenDeadline(
  receivedAt: number,
  endsAt: number,
  target: number,
  generation: number,
): number {
  if (endsAt === Infinity) return receivedAt + target * 1e3;
  const whole = endsAt - receivedAt;
  // Of a time that is short for the whole answer half is left: what is reckoned of answers is a mean.
  return receivedAt + Math.max(whole - generation * 1e3, whole / 2);
}
