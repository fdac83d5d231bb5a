/**
 * Turns text (flags, environment) into the kind of value that a JSON or YAML file would hold. Each
 * function gives back what it cannot read untouched, so that the schema behind it can refuse it by value.
 */

export function numberFromText(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw;
  const text = raw.trim();
  return /^[+-]?\d{1,15}(\.\d{1,9})?$/.test(text) ? Number(text) : raw;
}

const TRUE = new Set(['true', '1', 'yes', 'on']);
const FALSE = new Set(['false', '0', 'no', 'off']);

export function booleanFromText(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw;
  const text = raw.trim().toLowerCase();
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : raw;
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kib: 1024,
  kb: 1000,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  mb: 1000 ** 2,
  g: 1024 ** 3,
  gib: 1024 ** 3,
  gb: 1000 ** 3,
};

/** `64k` and `64KiB` are 65536 bytes, `64KB` is 64000: IEC 80000-13, and nginx for the single letters. */
export function bytesFromText(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw;
  const match = /^(\d{1,15}(?:\.\d{1,6})?)\s?([a-z]{0,3})$/i.exec(raw.trim());
  const unit = UNITS[(match?.[2] ?? '?').toLowerCase()];
  return match && unit !== undefined ? Math.round(Number(match[1]) * unit) : raw;
}

/** Splits at commas and trims; a trailing comma is forgiven, an empty item between commas is kept to be refused. */
export function itemsFromText(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw;
  const items = raw.split(',').map((item) => item.trim());
  if (items.at(-1) === '') items.pop();
  return items;
}

const SHOWN_LENGTH = 100;

/** A value as an error may print it: one line, short, without control characters or URL credentials. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  if (typeof value !== 'string') return String(value);
  const hidden = value.replace(/\/\/[^/?#]*@/g, '//***@');
  const short = hidden.length > SHOWN_LENGTH ? `${hidden.slice(0, SHOWN_LENGTH)}...` : hidden;
  return JSON.stringify(short).replace(/[\p{C}\u2028\u2029]/gu, '?');
}
