import { text } from './object-meta.js';

const MAX_MESSAGE = 300;

/**
 * The words of an answer that is not a success: the message of its `Status` object where there is one,
 * on one line and of bounded length, since it ends in `/health` and in logs.
 */
export function failureMessage(status: number, body: string): string {
  let message: string;
  try {
    message = text(JSON.parse(body), 'message');
  } catch {
    message = body;
  }
  const line = message.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  if (line === '') return `HTTP ${status}`;
  return `HTTP ${status}: ${line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}...` : line}`;
}
