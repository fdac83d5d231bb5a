/** The last chunk of a chunked body, without trailers (RFC 9112 section 7.1). */
export const LAST_CHUNK = Buffer.from('0\r\n\r\n');

/**
 * `bytes` as one chunk of a chunked body (RFC 9112 section 7.1), in one buffer so that it takes one write.
 * @param last ends the body as well
 */
export function framedChunk(bytes: Buffer, last: boolean): Buffer {
  const size = `${bytes.length.toString(16)}\r\n`;
  const framed = Buffer.allocUnsafe(size.length + bytes.length + (last ? 7 : 2));
  let at = framed.write(size, 0, 'latin1');
  at += bytes.copy(framed, at);
  framed.write(last ? '\r\n0\r\n\r\n' : '\r\n', at, 'latin1');
  return framed;
}
