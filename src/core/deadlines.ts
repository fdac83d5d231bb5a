import { DEADLINE_HEADERS } from './deadline-headers.js';
import { RouterError } from './errors.js';
import type { RawHeaders } from './headers.js';

/** How long a client waits at most, beside what the router's own settings allow; Infinity: as long as those say. */
export interface Deadlines {
  /** When the whole request must have ended, monotonic milliseconds. */
  readonly endsAt: number;
  /** Milliseconds to connect to an engine. */
  readonly connect: number;
  /** Milliseconds from sending to an engine to its first output. */
  readonly firstByte: number;
  /** Milliseconds of silence within an answer. */
  readonly idle: number;
}

const BY_NAME: ReadonlyMap<string, keyof typeof DEADLINE_HEADERS> = new Map(
  Object.entries(DEADLINE_HEADERS).map(([key, name]) => [name, key as keyof typeof DEADLINE_HEADERS]),
);
const SUFFIX = '-timeout-ms';
const MILLISECONDS = /^[0-9]{1,10}$/;

/**
 * The deadlines that a client gave; null, and nothing allocated, for one that gave none. Of a repeated header the
 * shortest counts.
 * @param now when the request was received, monotonic milliseconds
 * @throws {RouterError} 400 that names a header with a value that is no whole number from 1 to 9,999,999,999
 */
export function readDeadlines(headers: RawHeaders, now: number): Deadlines | null {
  let given: Record<keyof typeof DEADLINE_HEADERS, number> | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!;
    // Most names are told apart by their length and last letters alone.
    if (name.length < 17 || name.length > 23 || !endsInSuffix(name)) continue;
    const key = BY_NAME.get(name.toLowerCase());
    if (key === undefined) continue;
    const value = MILLISECONDS.test(headers[i + 1]!) ? Number(headers[i + 1]) : 0;
    if (value === 0) throw invalidDeadline(DEADLINE_HEADERS[key]);
    given ??= { request: Infinity, connect: Infinity, firstByte: Infinity, idle: Infinity };
    given[key] = Math.min(given[key], value);
  }
  if (given === null) return null;
  const { request, connect, firstByte, idle } = given;
  return { endsAt: now + request, connect, firstByte, idle };
}

function endsInSuffix(name: string): boolean {
  const last = name.charCodeAt(name.length - 1) | 0x20;
  return last === 0x73 && name.slice(-SUFFIX.length).toLowerCase() === SUFFIX;
}

const invalidDeadline = (name: string): RouterError =>
  new RouterError(
    400,
    'invalid_request',
    `Invalid request: header ${name} must be a whole number of milliseconds from 1 to 9999999999.`,
  );
