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

const CR = 0x0d;
const DASH = 0x2d;

/** Offsets of a boundary line: where the content before it ends, and the line itself. `last`: no part follows. */
interface BoundaryLine {
  readonly contentEnd: number;
  readonly lineEnd: number;
  readonly last: boolean;
}

/** The next boundary line at or after `from`; null when there is none. `from` stands at the start of a line. */
function boundaryLine(body: Buffer, delimiter: Buffer, from: number): BoundaryLine | null {
  for (let at = body.indexOf(delimiter, from); at >= 0; at = body.indexOf(delimiter, at + 1)) {
    const startsLine = at === from || (body[at - 1] === 0x0a && body[at - 2] === CR);
    if (!startsLine) continue;
    let end = at + delimiter.length;
    const last = body[end] === DASH && body[end + 1] === DASH;
    // Padding may follow (RFC 2046 section 5.1.1); anything else makes it content.
    while (body[end] === 0x20 || body[end] === 0x09) end++;
    if (!last && (body[end] !== CR || body[end + 1] !== 0x0a)) continue;
    return { contentEnd: Math.max(from, at - 2), lineEnd: end + 2, last };
  }
  return null;
}

/**
 * The text fields of a form (RFC 7578) that are asked for, the last one when a name is repeated, as
 * engines read them. Files are skipped over, not read. Looks at 1,000 parts at most; a field longer than
 * 4 KiB is left out.
 */
export function formFields(body: Buffer, boundary: string, wanted: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  const delimiter = Buffer.from(`--${boundary}`, 'latin1');
  let line = boundaryLine(body, delimiter, 0);
  for (let part = 0; part < MAX_PARTS && line !== null && !line.last; part++) {
    const start = line.lineEnd;
    line = boundaryLine(body, delimiter, start);
    if (line === null) break;
    const header = body.subarray(start, Math.min(start + MAX_PART_HEADER, line.contentEnd));
    const headerLength = header.indexOf('\r\n\r\n', 0, 'latin1');
    if (headerLength < 0) continue;
    const name = fieldName(header.toString('utf8', 0, headerLength));
    const value = body.subarray(start + headerLength + 4, line.contentEnd);
    if (name !== null && wanted.includes(name) && value.length <= MAX_VALUE)
      found.set(name, value.toString('utf8'));
  }
  return found;
}
