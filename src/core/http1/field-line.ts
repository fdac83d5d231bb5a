import { MalformedAnswer } from './malformed-answer.js';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/;
const SPACE = 0x20;
const TAB = 0x09;

/** Whether the text is a token (RFC 9110 section 5.6.2): a method, the name of a header. */
export const isToken = (text: string): boolean => TOKEN.test(text);

/**
 * Whether the text, one character a byte, holds something that no line of a head may hold: a control character
 * other than the tab, CR and LF among them (RFC 9110 section 5.5).
 */
export const hasForbidden = (text: string): boolean => FORBIDDEN.test(text);

/**
 * Where the colon of a field line is (RFC 9112 section 5). A line that goes on from the one before (obs-fold)
 * and a space before the colon make no token, and so no field.
 * @param line without its CRLF
 * @throws {MalformedAnswer}
 */
export function colonOf(line: string): number {
  const colon = line.indexOf(':');
  if (colon < 0 || !TOKEN.test(line.slice(0, colon))) throw new MalformedAnswer('a header has no valid name');
  if (FORBIDDEN.test(line)) throw new MalformedAnswer('a header holds a control character');
  return colon;
}

/** The value behind the colon, without the spaces and tabs around it. */
export function valueAfter(line: string, colon: number): string {
  let from = colon + 1;
  let to = line.length;
  while (from < to && isSpace(line.charCodeAt(from))) from++;
  while (to > from && isSpace(line.charCodeAt(to - 1))) to--;
  return line.slice(from, to);
}

const isSpace = (code: number): boolean => code === SPACE || code === TAB;
