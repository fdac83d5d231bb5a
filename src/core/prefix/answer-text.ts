import type { ApiShape } from '../request-facts.js';

/** Bytes of generated text, as JSON writes it, that are taken at most: about 16,000 tokens. */
const MOST_TEXT = 65_536;
const BACKSLASH = 0x5c;
const QUOTE = '"';

/** Where vLLM writes generated text, in streams and in whole answers alike. */
const KEYS: Readonly<Record<ApiShape, string | null>> = {
  chat: '"content":',
  completions: '"text":',
  messages: '"text":',
  responses: '"annotations":[],"text":',
  other: null,
};

/** A stream of the responses API repeats the whole text in this event, at its end. */
const RESPONSES_DONE = 'event: response.output_text.done';

/** What follows the number of a second choice; with several answers none of them is the next turn for sure. */
const SECOND_CHOICE = ['"index":1,"message":', '"index":1,"delta":', '"index":1,"text":'];

/**
 * The generated text out of an answer's bytes: server-sent events or whole JSON of the four APIs, as vLLM writes
 * them. Reasoning and calls of tools are left out. Only the strings are looked for: inside of a string a quote is
 * escaped, so a key with its quotes cannot be met there. Null when there is no text, more than 64 KiB of it,
 * several choices, or anything that is not understood.
 */
export function answerText(bytes: Buffer, shape: ApiShape): string | null {
  const key = KEYS[shape];
  if (key === null) return null;
  // One character a byte: what is searched for is ASCII, and the text is decoded once at the end.
  const answer = bytes.toString('latin1');
  const raw = shape === 'responses' ? responsesText(answer, key) : collect(answer, key, 0);
  if (raw === null || raw === '') return null;
  try {
    return JSON.parse(QUOTE + Buffer.from(raw, 'latin1').toString('utf8') + QUOTE) as string;
  } catch {
    return null;
  }
}

function responsesText(answer: string, key: string): string | null {
  const done = answer.indexOf(RESPONSES_DONE);
  if (done < 0) return answer.startsWith('{') ? collect(answer, key, 0) : null;
  if (answer.includes(RESPONSES_DONE, done + 1)) return null;
  const end = answer.indexOf('\n\n', done);
  return collect(end < 0 ? answer : answer.slice(0, end), '"text":', done);
}

/** All strings behind `key` from `from` on, joined as they are written. */
function collect(answer: string, key: string, from: number): string | null {
  if (SECOND_CHOICE.some((mark) => answer.includes(mark))) return null;
  let text = '';
  for (let at = answer.indexOf(key, from); at >= 0; at = answer.indexOf(key, at)) {
    at += key.length;
    if (answer.charAt(at) === ' ') at++;
    if (answer.charAt(at) !== QUOTE) continue;
    const end = endOfString(answer, at + 1);
    if (end < 0) return null;
    text += answer.slice(at + 1, end);
    if (text.length > MOST_TEXT) return null;
    at = end + 1;
  }
  return text;
}

/** Where the quote is that closes a string; -1 when it is cut. */
function endOfString(answer: string, from: number): number {
  for (let end = answer.indexOf(QUOTE, from); end >= 0; end = answer.indexOf(QUOTE, end + 1)) {
    let escapes = 0;
    while (end - escapes > from && answer.charCodeAt(end - escapes - 1) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return end;
  }
  return -1;
}
