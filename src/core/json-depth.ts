/** Levels of arrays and objects that a body may have; engines' own parsers refuse some hundreds (pydantic: 200). */
export const MOST_LEVELS = 1_024;

/** Below this many bytes even the deepest text is parsed within a millisecond or two. */
const SMALL = 4 * 1024;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ARRAY = 0x5b;
const OBJECT = 0x7b;
const ARRAY_END = 0x5d;
const OBJECT_END = 0x7d;

/**
 * Whether JSON text is nested deeper than `MOST_LEVELS`: V8 parses such text a hundred times slower than other text of
 * its size, a second for a megabyte. Text with fewer brackets than that, which is nearly all, is only counted.
 */
export function isTooDeep(body: Buffer): boolean {
  if (body.length <= SMALL) return false;
  if (occurrences(body, ARRAY) + occurrences(body, OBJECT) <= MOST_LEVELS) return false;
  let level = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte === QUOTE) at = endOfString(body, at);
    else if (byte === ARRAY || byte === OBJECT) {
      if (++level > MOST_LEVELS) return true;
    } else if (byte === ARRAY_END || byte === OBJECT_END) level--;
  }
  return false;
}

/** How often a byte is there, as far as it matters. */
function occurrences(body: Buffer, byte: number): number {
  let count = 0;
  for (let at = body.indexOf(byte); at >= 0 && count <= MOST_LEVELS; at = body.indexOf(byte, at + 1)) count++;
  return count;
}

/** Where the string that begins at `at` ends; the end of the text when it does not. */
function endOfString(body: Buffer, at: number): number {
  for (let end = body.indexOf(QUOTE, at + 1); end >= 0; end = body.indexOf(QUOTE, end + 1)) {
    let slashes = 0;
    while (body[end - 1 - slashes] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end;
  }
  return body.length;
}
