const LF = 0x0a;

/**
 * The body out of whole chunks (RFC 9112 section 7.1) that carry neither extensions nor trailers, joined.
 * @throws {RangeError} when they are none
 */
export function unframed(chunks: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  while (at < chunks.length) {
    const lineEnd = chunks.indexOf(LF, at);
    const size = lineEnd < 0 ? NaN : parseInt(chunks.toString('latin1', at, lineEnd - 1), 16);
    const end = lineEnd + 1 + size;
    if (!(end + 2 <= chunks.length)) throw new RangeError('not whole chunks');
    parts.push(chunks.subarray(lineEnd + 1, end));
    at = end + 2;
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}
