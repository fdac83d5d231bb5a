/**
 * Letters that take one column in every terminal: printable ASCII, and Latin, Greek and Cyrillic without combining marks and
 * the soft hyphen.
 */
const ONE_COLUMN = /[^\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u04ff]/gu;

/**
 * A name from outside as text for a terminal: nothing in it can move the cursor or change colours, and each of its characters
 * is as wide as another.
 */
export const printable = (text: string): string => text.replace(ONE_COLUMN, '?');

/** At most `width` columns of printable text; what is cut ends in `>`. */
export function fitted(text: string, width: number): string {
  if (text.length <= width) return text;
  return width <= 1 ? text.slice(0, Math.max(0, width)) : `${text.slice(0, width - 1)}>`;
}
