const LF = 0x0a;
const CR = 0x0d;

/**
 * End of the last complete server-sent event in `bytes`, i.e. the offset behind its blank line; 0 when
 * none is complete. Lines may end in LF or CRLF (WHATWG HTML, section 9.2.5; a lone CR is not used by engines).
 */
export function endOfLastFrame(bytes: Buffer): number {
  const last = bytes.length - 1;
  // Engines write one frame per chunk, so nearly always these two bytes decide.
  if (last >= 1 && bytes[last] === LF && bytes[last - 1] === LF) return bytes.length;
  for (let at = bytes.lastIndexOf(LF); at > 0; at = bytes.lastIndexOf(LF, at - 1)) {
    if (bytes[at - 1] === LF) return at + 1;
    if (bytes[at - 1] === CR && bytes[at - 2] === LF) return at + 1;
  }
  return 0;
}

/** Whether the bytes from `from` to `to` end in a blank line. */
export function endsInBlankLine(bytes: Buffer, from: number, to: number): boolean {
  if (to - from < 2 || bytes[to - 1] !== LF) return false;
  return bytes[to - 2] === LF || (to - from > 2 && bytes[to - 2] === CR && bytes[to - 3] === LF);
}

/** End of the first complete server-sent event at or after `from`, or -1. */
export function endOfFirstFrame(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}

/** One server-sent event: its name and its data lines joined; null data when it only holds comments. */
export interface SseFrame {
  readonly event: string | null;
  readonly data: string | null;
}

/** Reads the text of one frame (WHATWG HTML, section 9.2.6). */
export function parseFrame(text: string): SseFrame {
  let event: string | null = null;
  let data: string | null = null;
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('data:')) {
      const value = line.slice(line[5] === ' ' ? 6 : 5);
      data = data === null ? value : `${data}\n${value}`;
    } else if (line.startsWith('event:')) {
      event = line.slice(6).trim();
    }
  }
  return { event, data };
}
