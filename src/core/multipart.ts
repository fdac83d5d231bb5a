const MAX_PARTS = 1_000;
const MAX_PART_HEADER = 8 * 1024;
const MAX_VALUE = 4 * 1024;

/** The boundary of a `multipart/form-data` content type (RFC 2046 section 5.1.1); null when it has none. */
export function multipartBoundary(contentType: string): string | null {
  if (!/^\s*multipart\/form-data\s*(;|$)/i.test(contentType)) return null;
  const match = /;\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType);
  return match === null ? null : (match[1] ?? match[2] ?? null);
}

function fieldName(header: string): string | null {
  const disposition = /^content-disposition\s*:\s*form-data\s*;(.*)$/im.exec(header)?.[1];
  if (disposition === undefined || /;?\s*filename\*?\s*=/i.test(disposition)) return null;
  const match = /(?:^|;)\s*name\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i.exec(disposition);
  if (match === null) return null;
  return match[1]?.replace(/\\(.)/g, '$1') ?? match[2] ?? null;
}

/**
 * The text fields of a form (RFC 7578) that are asked for, the last one when a name is repeated, as
 * engines read them. Files are skipped over, not read. Looks at 1,000 parts at most; a field longer than
 * 4 KiB is left out.
 */
export function formFields(body: Buffer, boundary: string, wanted: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  const nextDelimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  let at = 0;
  if (body.indexOf(delimiter) !== 0) {
    // A preamble stands before the first delimiter (RFC 2046 section 5.1.1).
    const first = body.indexOf(nextDelimiter);
    if (first < 0) return found;
    at = first + 2;
  }
  for (let part = 0; part < MAX_PARTS; part++) {
    let start = at + delimiter.length;
    if (body[start] === 0x2d && body[start + 1] === 0x2d) break;
    start = body.indexOf('\r\n', start, 'latin1');
    if (start < 0) break;
    start += 2;
    const end = body.indexOf(nextDelimiter, Math.max(start - 2, 0));
    if (end < 0) break;
    const headerEnd = body.indexOf('\r\n\r\n', start, 'latin1');
    if (headerEnd >= 0 && headerEnd < end && headerEnd - start <= MAX_PART_HEADER) {
      const name = fieldName(body.toString('utf8', start, headerEnd));
      const length = end - (headerEnd + 4);
      if (name !== null && wanted.includes(name) && length <= MAX_VALUE) {
        found.set(name, body.toString('utf8', headerEnd + 4, end));
      }
    }
    at = end + 2;
  }
  return found;
}
